import { backupName } from '../../../src/lib/backup/names.ts';
import type { BackupSummary } from '../../../src/lib/backup/shapes.ts';

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
