export type {
  BlobProperties,
  BlobStore,
  Queue,
  Storage,
  StoredEntity,
  TableEntity,
  TableStore,
  TableValue,
} from './ports.ts';
export { createStorage } from './storage.ts';
