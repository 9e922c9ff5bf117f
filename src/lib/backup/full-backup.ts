import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type Clock, startDeadline, toTimestamp } from '../core/index.ts';
import { addressOf, type DatabaseSource } from '../database/index.ts';
import type { BlobProperties, BlobStore } from '../storage/index.ts';
import { dumpDatabase } from './engine/dump-database.ts';
import { DumpError } from './engine/dump-error.ts';
import { type Manifest, storeManifest } from './manifest.ts';
import { type DumpSummary, scanDump } from './text/dump-scanner.ts';

export interface FullBackupPorts {
  readonly clock: Clock;
  readonly connection: DatabaseSource;
  /** The role that dumps take on, for a login that may not read everything itself. */
  readonly databaseRole: string | undefined;
  readonly blobs: BlobStore;
}

const pgDumpArguments = [
  // The role that restores owns what it restores. Owners and grants name roles that another server need not have, where
  // the first such line would stop the restore; roles and grants come with the deployment.
  '--no-owner',
  '--no-privileges',
  // In ms. Waiting longer for somebody's exclusive lock would also hold up everybody behind us.
  '--lock-wait-timeout=60000',
];
/** gzip's own default: 12 % smaller than level 1 at half its speed, which still outruns an upload. */
const gzipOptions = { level: 6, chunkSize: 64 * 1024 };
const cleanUpMs = 30_000;

/**
 * Dumps the database into a gzipped blob, at constant memory, and puts a manifest beside it. The blob appears only when
 * the dump has ended well and whole, and goes again when the manifest cannot be written.
 */
export async function runFullBackup(
  ports: FullBackupPorts,
  { name, signal }: { readonly name: string; readonly signal: AbortSignal },
): Promise<Manifest> {
  const { clock, connection, blobs } = ports;
  const startedAt = clock.now();
  const { dump, stored, blob } = await uploadDump(ports, name, signal);
  const manifest: Manifest = {
    format_version: 1,
    name,
    kind: 'full',
    database: addressOf(connection).database,
    server_version: dump.serverVersion ?? 'unknown',
    pg_dump_version: dump.pgDumpVersion ?? 'unknown',
    started_at: toTimestamp(startedAt),
    finished_at: toTimestamp(clock.now()),
    dump_bytes: dump.sizeBytes,
    stored_bytes: stored.sizeBytes,
    sha256: stored.sha256,
    encrypted: false,
    tables: dump.tables.map(({ contentHash, ...table }) => ({ ...table, content_hash: contentHash })),
  };
  try {
    await storeManifest(blobs, manifest, signal);
  } catch (error) {
    await removeDump(ports, blob);
    throw error;
  }
  return manifest;
}

interface StoredBytes {
  readonly sizeBytes: number;
  readonly sha256: string;
}

async function uploadDump(
  { clock, connection, databaseRole, blobs }: FullBackupPorts,
  name: string,
  signal: AbortSignal,
) {
  const args = databaseRole === undefined ? pgDumpArguments : [...pgDumpArguments, `--role=${databaseRole}`];
  const scan = scanDump();
  const seal = sealBytes(() => requireWhole(scan.summary()));
  const [upload, dump] = await Promise.allSettled([
    blobs.upload(name, seal.stream, { contentType: 'application/gzip', signal }),
    pipeline(
      dumpDatabase({ connection: addressOf(connection), args, clock, signal }),
      scan.stream,
      createGzip(gzipOptions),
      seal.stream,
    ),
  ]);
  signal.throwIfAborted();
  // When one fails the other fails with it; the upload passes on the error of the dump, but not the other way round.
  if (upload.status === 'rejected') throw upload.reason;
  if (dump.status === 'rejected') throw dump.reason;
  return { dump: scan.summary(), stored: seal.bytes(), blob: upload.value };
}

/** Counts and hashes what passes. It ends only if `check` does not throw, so that what is behind it never sees the end of a bad dump. */
function sealBytes(check: () => void): { stream: Transform; bytes: () => StoredBytes } {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      done(undefined, chunk);
    },
    flush(done) {
      try {
        check();
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
  return { stream, bytes: () => ({ sizeBytes, sha256: hash.digest('hex') }) };
}

function requireWhole(dump: DumpSummary): void {
  if (!dump.isComplete) throw new DumpError('pg_dump_failed', 'The dump lacks its closing line');
}

/** Has its own time: what ended the backup may be that its time was over. Unreachable, the blob stays without a manifest. */
async function removeDump({ clock, blobs }: FullBackupPorts, { name, etag }: BlobProperties): Promise<void> {
  using time = startDeadline(clock, cleanUpMs);
  await blobs.delete(name, { signal: time.signal, ifMatch: etag }).catch(() => {});
}
