import type { IncomingMessage } from 'node:http';
import type { Caches } from '../cache/index.ts';
import { AppError, type Clock, newId } from '../core/index.ts';
import {
  type AuditEntry,
  type Database,
  type Idempotency,
  maySeeFile,
  mayUseFile,
  mayUseProject,
  type RecordAudit,
  type RecordedAnswer,
} from '../database/index.ts';
import { type Answer, type Cursors, keyedRequest, type RequestKey } from '../http/index.ts';
import { type Logger, type Metrics, nameResource } from '../observability/index.ts';
import type { Caller } from '../security/index.ts';
import type { BlobStore } from '../storage/index.ts';
import { type ContentRequest, contentAnswer } from './content.ts';
import { deleteFile, finishDeletions } from './deletion.ts';
import type { ErasureOrder } from './erasure.ts';
import { type Accepted, admit, type GateRules } from './gate.ts';
import { listFiles } from './list.ts';
import { type FileRow, findAllVisible, findFile, type NewFileRow, projectExists } from './repository.ts';
import type { FileView, ListQuery } from './shapes.ts';
import { createStoredBytes } from './stored-bytes.ts';
import { discardAbandoned, storeFile } from './storing.ts';
import { readUpload } from './upload.ts';

interface FilesPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly database: Database;
  readonly audit: RecordAudit;
  readonly caches: Caches;
  readonly idempotency: Idempotency;
  /** Where available files are. */
  readonly blobs: BlobStore;
  /** Where the bytes of deleted files wait until no backup refers to them any more. */
  readonly trash: BlobStore;
  readonly container: string;
  readonly cursors: Cursors;
  readonly rules: GateRules;
}

/** A request to upload a file. */
interface NewFile {
  readonly message: IncomingMessage;
  /** From the query; a form may name another. */
  readonly projectId: string | undefined;
  readonly key: RequestKey | undefined;
}

/** Uploaded files: one immutable blob each, one row each. */
export interface Files {
  /** Takes a file, once for each key. */
  upload(caller: Caller, request: NewFile, signal: AbortSignal): ReturnType<Idempotency['once']>;
  list(caller: Caller, query: ListQuery, signal: AbortSignal): ReturnType<typeof listFiles>;
  /** @throws AppError `not_found` */
  get(caller: Caller, id: string, signal: AbortSignal): Promise<FileView>;
  content(caller: Caller, id: string, request: ContentRequest): Promise<Answer>;
  /**
   * Moves the bytes to the trash, so that links given out before die at once.
   *
   * @throws AppError `not_found`, `file_not_available` while the upload is under way
   */
  remove(caller: Caller, id: string, signal: AbortSignal): Promise<void>;
  /** Bytes of all files that are kept, at most some minutes old; deleted ones, whose bytes wait in the trash, left out. */
  storedBytes(signal: AbortSignal): Promise<number>;
  discardAbandoned(signal: AbortSignal): Promise<void>;
  finishDeletions(signal: AbortSignal): Promise<void>;
  /**
   * Erases all files of an owner, rows and bytes, for good.
   *
   * @throws AppError `unavailable` when there is more to do than time left, or an upload from before is under way: to be called again
   */
  erase(order: ErasureOrder, signal: AbortSignal): Promise<void>;
  /** Removes bytes that no row of ours knows, wherever they are. */
  purge(blobNames: readonly string[], signal: AbortSignal): Promise<void>;
  /**
   * Looks up files that are to be linked to. The function it gives finds the blob of one of them.
   *
   * @throws AppError, the function: `not_found`, `file_not_available`
   */
  findLinkable(
    caller: Caller,
    ids: readonly string[],
    signal: AbortSignal,
  ): Promise<(id: string) => { readonly blobName: string; readonly ownerId: string }>;
}

/** Makes the files room. */
export function createFiles(ports: FilesPorts): Files {
  const { clock, database, blobs } = ports;
  const uploads = ports.metrics.counter(
    'azure_blob_uploads_total',
    'Files stored, or that could not be stored',
  );
  const toView = (row: FileRow) => viewOf(row, blobs);

  async function find(caller: Caller, id: string, signal: AbortSignal): Promise<FileRow> {
    const file = await database.read('find file', signal, (db) => findFile(db, id));
    if (!file || !maySeeFile(caller, file)) throw notFound();
    return file;
  }

  return {
    async upload(caller, { message, projectId: projectIdInQuery, key }, signal) {
      const { candidate, attributes } = await readUpload(message, ports.rules.maxBytes, projectIdInQuery);
      const accepted = admit(candidate, ports.rules);
      const { metadata, projectId } = attributes();
      if (projectId !== undefined) await requireProject(database, caller, projectId, signal);
      const { name, bytes, sha256 } = accepted;
      const request = keyedRequest(key, { name, size: bytes.length, sha256, metadata, projectId });
      return await ports.idempotency.once(request, signal, async ({ record }) => {
        // Each attempt has an id and a blob of its own: one that seems dead may still be storing.
        const row = pendingRow(accepted, {
          caller,
          metadata,
          projectId,
          container: ports.container,
          now: clock.now(),
        });
        nameResource('files', row.id);
        ports.logger.debug('the gate has admitted a file', {
          content_type: row.content_type,
          size: bytes.length,
          sha256: accepted.sha256,
        });
        await storeFile(ports, row, bytes, signal, async (trx, stored) => {
          await ports.audit(trx, uploadOf(stored));
          await record(trx, created(toView(stored)));
        }).catch((error) => {
          uploads.add({ outcome: 'error' });
          throw error;
        });
        uploads.add({ outcome: 'success' });
      });
    },
    list: (caller, query, signal) =>
      listFiles({ database, cursors: ports.cursors, toView }, caller, query, signal),
    get: async (caller, id, signal) => toView(await find(caller, id, signal)),
    async content(caller, id, request) {
      const file = available(await find(caller, id, request.signal));
      return contentAnswer({ blobs, clock }, file, request);
    },
    async remove(caller, id, signal) {
      const file = await database.read('find file', signal, (db) => findFile(db, id));
      // One whose deletion broke off may be deleted again by those who cannot see it any more.
      if (!file || !mayUseFile(caller, file) || file.trashed_at) throw notFound();
      // Its upload is under way; one that broke off is tidied away by itself.
      if (file.status === 'pending') throw notAvailable(file);
      await deleteFile(ports, file, signal);
    },
    storedBytes: createStoredBytes(ports),
    discardAbandoned: (signal) => discardAbandoned(ports, signal),
    finishDeletions: (signal) => finishDeletions(ports, signal),
    // Rare, so not loaded at each start.
    erase: async (order, signal) => (await import('./erasure.ts')).eraseFiles(ports, order, signal),
    purge: async (blobNames, signal) => (await import('./erasure.ts')).purgeBytes(ports, blobNames, signal),
    async findLinkable(caller, ids, signal) {
      const rows = await database.read('find files', signal, (db) => findAllVisible(db, caller, ids));
      const byId = new Map(rows.map((row) => [row.id, row]));
      return (id) => {
        const file = available(byId.get(id));
        return { blobName: file.blob_name, ownerId: file.owner_id };
      };
    },
  };
}

/** @throws AppError `not_found` for a project that is unknown, or not the caller's */
async function requireProject(
  database: Database,
  caller: Caller,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  const mayUse = mayUseProject(caller, id);
  if (!mayUse || !(await database.read('find project', signal, (db) => projectExists(db, id))))
    throw new AppError('not_found', 'There is no such project');
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

function uploadOf({ id, name, content_type, size, sha256, project_id }: FileRow): AuditEntry {
  const after = { name, content_type, size, sha256, ...(project_id !== null && { project_id }) };
  return { action: 'file.upload', object: { type: 'file', id }, after };
}

function created(file: FileView): RecordedAnswer {
  return { status: 201, headers: { location: `/api/v1/files/${file.id}` }, body: file };
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

/** A file that may be read. @throws AppError `not_found`, `file_not_available` */
function available(file: FileRow | undefined): FileRow {
  if (!file || file.status === 'deleted') throw notFound();
  if (file.status !== 'available') throw notAvailable(file);
  return file;
}

function notAvailable(file: FileRow): AppError {
  return new AppError('file_not_available', `The file is ${file.status}`);
}

function notFound(): AppError {
  return new AppError('not_found', 'There is no such file');
}
