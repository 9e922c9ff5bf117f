export { emulator } from './connection.ts';
export type {
  BlobProperties,
  BlobStore,
  LeaseLock,
  Queue,
  QueueMessage,
  Storage,
  StoredEntity,
  TableEntity,
  TableStore,
  TableValue,
} from './ports.ts';
export { createStorage } from './storage.ts';
