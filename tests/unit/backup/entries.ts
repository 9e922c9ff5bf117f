import { type Manifest, storeManifest } from '../../../src/lib/backup/manifest.ts';
import { backupName } from '../../../src/lib/backup/names.ts';
import type { BackupSummary } from '../../../src/lib/backup/shapes.ts';
import type { BlobStore } from '../../../src/lib/storage/index.ts';

const { signal } = new AbortController();

/** A queued backup of the given time. */
export function queuedEntry(epochMs: number): BackupSummary {
  return {
    name: backupName(epochMs),
    kind: 'full',
    status: 'queued',
    database: 'crownsafe',
    server_version: null,
    started_at: null,
    finished_at: null,
    dump_bytes: null,
    stored_bytes: null,
    sha256: null,
    encrypted: false,
  };
}

/** A dump with its manifest, as a run leaves them. */
export async function storeWhole(blobs: BlobStore, name: string): Promise<Manifest> {
  const manifest: Manifest = {
    format_version: 1,
    name,
    kind: 'full',
    database: 'crownsafe',
    server_version: '18.4',
    pg_dump_version: '18.3',
    started_at: '2026-01-01T00:00:00.000Z',
    finished_at: '2026-01-01T00:00:04.000Z',
    dump_bytes: 10,
    stored_bytes: 4,
    sha256: 'ab'.repeat(32),
    encrypted: false,
    tables: [{ name: 'public.t', rows: 1, content_hash: 'cd'.repeat(32) }],
  };
  await blobs.upload(name, Buffer.from('dump'), { contentType: 'application/gzip', signal });
  await storeManifest(blobs, manifest, signal);
  return manifest;
}
