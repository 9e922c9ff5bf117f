import type { Readable } from 'node:stream';

/** What every call takes: its signal carries the deadline of the work it belongs to. */
export interface CallOptions {
  readonly signal: AbortSignal;
}

export interface BlobProperties {
  readonly name: string;
  /** Size of the whole blob, also when only a range of it was read. */
  readonly sizeBytes: number;
  readonly contentType: string;
  /** What downloads of the blob say about its name, when something was stored. */
  readonly contentDisposition?: string;
  /** Opaque; as the service gave it, with its quotes. */
  readonly etag: string;
  /** Milliseconds since the epoch; the service keeps whole seconds. */
  readonly lastModified: number;
  /** Keys in lower case. Holds `upload_id`, the mark by which a repeated upload knows its own blob. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface UploadOptions extends CallOptions {
  readonly contentType: string;
  /** Keys are lower-case C# identifiers (`file_id`), values ASCII; both travel as headers. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Stored with the blob and sent with every download of it. */
  readonly contentDisposition?: string;
  /** Refuses with an AppError `conflict` when the name is taken; otherwise the blob is replaced. */
  readonly onlyIfAbsent?: boolean;
}

export interface DownloadOptions extends CallOptions {
  /** `count` left out means: to the end. */
  readonly range?: { readonly offset: number; readonly count?: number };
  /** Reads this version only; refuses with an AppError `conflict` when the blob has changed. */
  readonly etag?: string;
}

export interface BlobDownload {
  /**
   * The bytes of one version: a broken connection is resumed, a replaced blob is an error. Destroyed when the
   * signal aborts; destroy it yourself when you stop early.
   */
  readonly body: Readable;
  readonly properties: BlobProperties;
}

export interface IfMatch {
  /** Acts only while the stored ETag is this one. */
  readonly ifMatch?: string;
}

/** A read-only link that works with no other credential. */
export interface SasOptions extends CallOptions {
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Milliseconds since the epoch; left out means: from now on, whatever the reader's clock says. */
  readonly startsAt?: number;
  /** The only address, or range `first-last`, that may use the link. */
  readonly ip?: string;
  /** Overrides the stored header for this link. */
  readonly contentDisposition?: string;
  /** Overrides the stored header for this link. */
  readonly contentType?: string;
}

/**
 * One container. Names may hold `/`. Every method throws an AppError: `unavailable` when the service is out of
 * reach (already retried), `upstream` when it refuses; the signal's reason is thrown as it is.
 */
export interface BlobStore {
  /**
   * Stores a blob whole or not at all. A stream is read to its end and destroyed when the upload fails; its error
   * is passed on.
   *
   * @throws AppError `conflict` when `onlyIfAbsent` and the name is taken
   */
  upload(name: string, source: Readable | Uint8Array, options: UploadOptions): Promise<BlobProperties>;
  /** @throws AppError `not_found`, `range_not_satisfiable` or, with `etag`, `conflict` */
  download(name: string, options: DownloadOptions): Promise<BlobDownload>;
  head(name: string, options: CallOptions): Promise<BlobProperties | undefined>;
  exists(name: string, options: CallOptions): Promise<boolean>;
  /** @returns false when it was not there, or was another version than `ifMatch` */
  delete(name: string, options: CallOptions & IfMatch): Promise<boolean>;
  /** All blobs whose name begins with the prefix, by name. */
  list(prefix: string, options: CallOptions): AsyncIterable<BlobProperties>;
  /**
   * Copies the blob of the same name out of another container, inside the service, with its type and metadata. A
   * blob that is already there is replaced.
   *
   * @returns the properties of the source, in the version that was copied
   * @throws AppError `not_found` when the source is gone, `conflict` when it has changed meanwhile
   */
  copyFrom(source: BlobStore, name: string, options: CallOptions): Promise<BlobProperties>;
  /** @throws RangeError when the link would live longer than 6 days, 23 hours and 45 minutes */
  sasUrl(name: string, options: SasOptions): Promise<string>;
  /** The address without any right to read it. */
  url(name: string): string;
}

/** What a column can hold. Integers beyond 2^31 that must stay exact are `bigint`; texts are ≤ 32 Ki characters. */
export type TableValue = string | number | bigint | boolean | Date | Uint8Array;

/** One row. Keys hold no `/`, `\`, `#` or `?`; a column that is `undefined` is not stored. */
export interface TableEntity {
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly [column: string]: TableValue | undefined;
}

export interface StoredEntity {
  readonly entity: TableEntity;
  readonly etag: string;
}

export interface TableQuery {
  readonly partitionKey: string;
  /** First row key, inclusive. */
  readonly rowKeyFrom?: string;
  /** Last row key, inclusive. */
  readonly rowKeyTo?: string;
  /** Stops after this many rows. */
  readonly limit?: number;
}

/**
 * One table. Errors as in {@link BlobStore}. A repeated write that meets what it has itself written (its answer was
 * lost) reports success.
 */
export interface TableStore {
  /** @returns false when the key is taken */
  insert(entity: TableEntity, options: CallOptions): Promise<boolean>;
  get(partitionKey: string, rowKey: string, options: CallOptions): Promise<StoredEntity | undefined>;
  /**
   * Replaces the whole row: columns that are left out are gone.
   *
   * @returns false when the row is not there, or was another version than `ifMatch`
   */
  replace(entity: TableEntity, options: CallOptions & IfMatch): Promise<boolean>;
  /** Writes the whole row, whether or not it is there. */
  upsert(entity: TableEntity, options: CallOptions): Promise<void>;
  /** @returns false when the row was not there, or was another version than `ifMatch` */
  delete(partitionKey: string, rowKey: string, options: CallOptions & IfMatch): Promise<boolean>;
  /** Rows of one partition by row key. */
  query(query: TableQuery, options: CallOptions): AsyncIterable<StoredEntity>;
}

/** A message taken out of a queue for a while. */
export interface QueueMessage {
  /** A UUID, given by the service. */
  readonly id: string;
  readonly text: string;
  /** Proves that it was this reader who took it; worthless once another one has. */
  readonly receipt: string;
}

/** One queue. What is to be worked on, the functions host takes out. Errors as in {@link BlobStore}. */
export interface Queue {
  /**
   * Sends a text of ≤ 64 KiB. Delivery is at least once: a send whose answer was lost is repeated.
   *
   * @param options - `visibilityDelaySeconds` hides the message for that long, up to 7 days
   */
  send(text: string, options: CallOptions & { readonly visibilityDelaySeconds?: number }): Promise<void>;
  /** Messages waiting, hidden or being worked on; the service counts roughly, never too few. */
  approximateLength(options: CallOptions): Promise<number>;
  /**
   * Takes messages out, oldest first; those that are not deleted come back.
   *
   * @param options - `count`: at most, 1 to 32; `hideSeconds`: until they come back, 1 s to 7 days
   */
  receive(
    options: CallOptions & { readonly count: number; readonly hideSeconds: number },
  ): Promise<QueueMessage[]>;
  /** @returns false when it was not there any more, or has come back and been taken by another reader */
  delete(message: Pick<QueueMessage, 'id' | 'receipt'>, options: CallOptions): Promise<boolean>;
}

/** Locks between processes, whichever instance they run on. Errors as in {@link BlobStore}. */
export interface LeaseLock {
  /**
   * Runs `work` while nobody else holds the lock of this name. A holder that dies loses it within a minute.
   *
   * The lock is a lease, kept up until the work has ended, also when the caller aborts and the work needs its time. When it
   * cannot be, the signal that `work` gets aborts before another can have it: AppError `conflict` when it has gone to
   * another, `unavailable` when the service was out of reach for too long. Work that ends well all the same may not have
   * been alone, and the call throws. Only a process that stands still, or sleeps, for so long can meet another: it hears of
   * it within a second of going on. What must never be done twice needs a condition of its own as well.
   *
   * @returns false when another holds the lock; `work` was not begun
   */
  withLease(
    name: string,
    work: (signal: AbortSignal) => Promise<unknown>,
    options: CallOptions,
  ): Promise<boolean>;
}

/** What an auditor sees of a container. */
export interface ContainerReview {
  /** Anybody may read its blobs without a credential. */
  readonly isPublic: boolean;
  /** The clock of the service, milliseconds since the epoch, in whole seconds; left out where it does not tell. */
  readonly serverTime?: number;
}

/** Everything one storage account holds. The same name always gives the same store. */
export interface Storage {
  /** @param dependency - whose breaker counts; the backup container has its own */
  blobs(container: string, dependency?: 'blob' | 'backup-blob'): BlobStore;
  /**
   * @param dependency - whose breaker counts; `table-control` has none, for the table that tells breakers what to do
   * @throws TypeError when the account is used for blobs only
   */
  table(name: string, dependency?: 'table' | 'table-control'): TableStore;
  /** @throws TypeError when the account is used for blobs only */
  queue(name: string): Queue;
  /** @param container - of its own: it holds one empty blob for each lock */
  locks(container: string): LeaseLock;
  /**
   * One cheap call around retry and breaker, for the health check. Success half-opens the breakers of all that is used
   * of this account.
   *
   * @param container - that the app may read; whether it is there does not matter
   */
  ping(container: string, signal: AbortSignal): Promise<void>;
  /** Looks at a container as an auditor does: around retry and breaker. What is not there is not public. */
  inspect(container: string, signal: AbortSignal): Promise<ContainerReview>;
  /** How links are signed. */
  readonly credentials: 'account-key' | 'identity';
}
