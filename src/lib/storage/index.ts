export { moveBlob } from './move-blob.ts';
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
