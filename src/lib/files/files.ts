import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { AppError, type Clock, isAppError, newId, startDeadline, toTimestamp } from '../core/index.ts';
import type { Database } from '../database/index.ts';
import type { Answer, Cursors } from '../http/index.ts';
import type { Logger, Metrics } from '../observability/index.ts';
import { type Caller, isAdmin } from '../security/index.ts';
import type { BlobStore } from '../storage/index.ts';
import { contentAnswer, refuseUnlessAvailable } from './content.ts';
import { type Accepted, admit, type GateRules } from './gate.ts';
import { listFiles } from './list.ts';
import {
  deletePending,
  type FileRow,
  findPending,
  findVisible,
  insertPending,
  markAvailable,
  markDeleted,
  type NewFileRow,
  projectExists,
} from './repository.ts';
import type { FileView, ListQuery } from './shapes.ts';
import { readUpload } from './upload.ts';

interface FilesPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly database: Database;
  /** Where available files are. */
  readonly blobs: BlobStore;
  /** Where the bytes of deleted files wait until no backup refers to them any more. */
  readonly trash: BlobStore;
  readonly container: string;
  readonly cursors: Cursors;
  readonly rules: GateRules;
}

/** Uploaded files: one immutable blob each, one row each. */
export interface Files {
  upload(
    caller: Caller,
    request: IncomingMessage,
    projectId: string | undefined,
    signal: AbortSignal,
  ): Promise<FileView>;
  list(caller: Caller, query: ListQuery, signal: AbortSignal): ReturnType<typeof listFiles>;
  /** @throws AppError `not_found` */
  get(caller: Caller, id: string, signal: AbortSignal): Promise<FileView>;
  content(
    caller: Caller,
    id: string,
    request: { headers: IncomingHttpHeaders; asAttachment: boolean; signal: AbortSignal },
  ): Promise<Answer>;
  /** Moves the bytes to the trash, so that links given out before die at once. */
  remove(caller: Caller, id: string, signal: AbortSignal): Promise<void>;
  /** Tidies away uploads that broke off hours ago and could not be tidied then. */
  discardAbandoned(signal: AbortSignal): Promise<void>;
  /** The blob of a file that may be linked to. @throws AppError `not_found`, `file_not_available` */
  findLinkable(caller: Caller, id: string, signal: AbortSignal): Promise<{ id: string; blobName: string }>;
}

/** Makes the files room. */
export function createFiles(ports: FilesPorts): Files {
  const { clock, database, blobs, trash } = ports;
  const uploads = ports.metrics.counter(
    'azure_blob_uploads_total',
    'Files stored, or that could not be stored',
  );
  const toView = (row: FileRow) => viewOf(row, blobs);

  async function find(caller: Caller, id: string, signal: AbortSignal): Promise<FileRow> {
    const file = await database.read('find file', signal, (db) => findVisible(db, caller, id));
    if (!file || (file.status === 'deleted' && !isAdmin(caller))) throw notFound();
    return file;
  }

  return {
    async upload(caller, request, projectIdInQuery, signal) {
      const { candidate, metadata, projectId } = await readUpload(
        request,
        ports.rules.maxBytes,
        projectIdInQuery,
      );
      const accepted = admit(candidate, ports.rules);
      if (projectId !== undefined) await requireProject(database, caller, projectId, signal);
      const row = pendingRow(accepted, {
        caller,
        metadata,
        projectId,
        container: ports.container,
        now: clock.now(),
      });
      const stored = await store(ports, row, accepted.bytes, signal).catch((error) => {
        uploads.add({ outcome: 'error' });
        throw error;
      });
      uploads.add({ outcome: 'success' });
      return toView(stored);
    },
    list: (caller, query, signal) =>
      database.read('list files', signal, (db) => listFiles(db, caller, query, ports.cursors, toView)),
    get: async (caller, id, signal) => toView(await find(caller, id, signal)),
    async content(caller, id, request) {
      const file = await find(caller, id, request.signal);
      if (file.status === 'deleted') throw notFound();
      refuseUnlessAvailable(file);
      return contentAnswer({ blobs, clock }, file, request);
    },
    async remove(caller, id, signal) {
      const file = await database.read('find file', signal, (db) => findVisible(db, caller, id));
      if (!file) throw notFound();
      await trash.copyFrom(blobs, file.blob_name, { signal }).catch(ignoreMissing);
      await database.transaction('delete file', signal, (trx) =>
        markDeleted(trx, id, toTimestamp(clock.now())),
      );
      const wasThere = await blobs.delete(file.blob_name, { signal });
      // A deletion that broke off here is finished by repeating it; only then has the repetition something to do.
      if (file.status === 'deleted' && !wasThere) throw notFound();
    },
    async discardAbandoned(signal) {
      const before = toTimestamp(clock.now() - abandonedAfterMs);
      const abandoned = await database.read('find abandoned uploads', signal, (db) =>
        findPending(db, before),
      );
      for (const file of abandoned) await discard(ports, file, signal);
      if (abandoned.length > 0)
        ports.logger.info('abandoned uploads were tidied away', { count: abandoned.length });
    },
    async findLinkable(caller, id, signal) {
      const file = await find(caller, id, signal);
      if (file.status === 'deleted') throw notFound();
      refuseUnlessAvailable(file);
      return { id: file.id, blobName: file.blob_name };
    },
  };
}

/**
 * Stores the bytes between two statements: the row is there before its blob and says `pending` until the blob is whole,
 * so that at no moment a blob exists that no row knows of.
 */
async function store(
  ports: FilesPorts,
  row: NewFileRow,
  bytes: Buffer,
  signal: AbortSignal,
): Promise<FileRow> {
  const { database, blobs, clock, logger } = ports;
  await database.transaction('announce file', signal, (trx) => insertPending(trx, row));
  try {
    await blobs.upload(row.blob_name, bytes, { contentType: row.content_type, onlyIfAbsent: true, signal });
  } catch (error) {
    // The caller's signal may be what failed, so the tidying has its own time. What it cannot reach stays `pending`.
    using deadline = startDeadline(clock, discardTimeoutMs);
    await discard(ports, row, deadline.signal).catch((failure) => {
      logger.warning('a broken upload could not be tidied away yet', { file_id: row.id, error: failure });
    });
    throw error;
  }
  const stored = await database.transaction('finish file', signal, (trx) =>
    markAvailable(trx, row.id, toTimestamp(clock.now())),
  );
  if (!stored) throw notFound();
  return stored;
}

const discardTimeoutMs = 10_000;
/** Far longer than any upload through the API takes. */
const abandonedAfterMs = 2 * 3_600_000;

/** The blob goes first: a row without blob can be found again, a blob without row cannot. */
async function discard(
  { database, blobs }: FilesPorts,
  row: Pick<FileRow, 'id' | 'blob_name'>,
  signal: AbortSignal,
): Promise<void> {
  await blobs.delete(row.blob_name, { signal });
  await database.transaction('forget file', signal, (trx) => deletePending(trx, row.id));
}

/** @throws AppError `not_found` for a project that is unknown, or not the caller's */
async function requireProject(
  database: Database,
  caller: Caller,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  const known = isAdmin(caller)
    ? await database.read('find project', signal, (db) => projectExists(db, id))
    : caller.projectIds.includes(id);
  if (!known) throw new AppError('not_found', 'There is no such project');
}

function pendingRow(
  file: Accepted,
  facts: {
    readonly caller: Caller;
    readonly metadata: Readonly<Record<string, string>>;
    readonly projectId: string | undefined;
    readonly container: string;
    readonly now: number;
  },
): NewFileRow {
  const id = newId();
  return {
    id,
    name: file.name,
    content_type: file.contentType,
    size: file.bytes.length,
    sha256: file.sha256,
    status: 'pending',
    metadata: facts.metadata,
    project_id: facts.projectId ?? null,
    owner_id: facts.caller.id,
    container: facts.container,
    blob_name: `${id}.${file.extension}`,
    created_at: new Date(facts.now),
  };
}

function viewOf(row: FileRow, blobs: BlobStore): FileView {
  return {
    id: row.id,
    name: row.name,
    content_type: row.content_type,
    size: row.size,
    sha256: row.sha256,
    status: row.status,
    metadata: row.metadata,
    project_id: row.project_id,
    owner_id: row.owner_id,
    created_at: row.created_at.toISOString(),
    etag: row.version,
    blob: { container: row.container, name: row.blob_name, url: blobs.url(row.blob_name) },
  };
}

function notFound(): AppError {
  return new AppError('not_found', 'There is no such file');
}

function ignoreMissing(error: unknown): void {
  if (!isAppError(error, 'not_found')) throw error;
}
