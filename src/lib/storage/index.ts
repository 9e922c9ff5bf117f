export type { StorageConnection, StorageEndpoints } from './connection.ts';
export { moveBlob } from './move-blob.ts';
export type {
  BlobDownload,
  BlobProperties,
  BlobStore,
  CallOptions,
  DownloadOptions,
  IfMatch,
  Queue,
  SasOptions,
  Storage,
  StoredEntity,
  TableEntity,
  TableQuery,
  TableStore,
  TableValue,
  UploadOptions,
} from './ports.ts';
export { createStorage } from './storage.ts';
