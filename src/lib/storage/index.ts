export { emulator } from './connection.ts';
export type {
  BlobProperties,
  BlobStore,
  ContainerReview,
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
