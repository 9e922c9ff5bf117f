import { inject, onTestFinished } from 'vitest';
import { type AuditTrail, createAuditTrail } from '../../../src/lib/audit/index.ts';
import { newId, systemClock } from '../../../src/lib/core/index.ts';
import {
  type AuditEntry,
  type Database,
  migrateToLatest,
  parseDatabaseUrl,
} from '../../../src/lib/database/index.ts';
import { createCursors } from '../../../src/lib/http/index.ts';
import { runInContext } from '../../../src/lib/observability/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { createKeyring, type Keyring } from '../../../src/lib/security/index.ts';
import type { BlobStore } from '../../../src/lib/storage/index.ts';
import { createDatabase, dropDatabase, openDatabase } from '../../support/databases.ts';
import { memoryBlobStore } from '../../support/memory/memory-blob-store.ts';
import { runStatements } from '../../support/own-postgres.ts';

export const { signal } = new AbortController();

export const secretKey = 'a secret of at least 32 bytes, for tests';

/** A trail in a database of its own, with an archive in memory. */
export interface TestTrail {
  readonly url: string;
  readonly database: Database;
  readonly archive: BlobStore;
  readonly trail: AuditTrail;
  readonly lines: readonly string[];
  /** The trail as another instance sees it, or with other keys. */
  again(changes: { keyring?: Keyring; archive?: BlobStore; database?: Database }): AuditTrail;
  /** Adds rows as somebody does, in an invocation of their own. */
  act(userId: string, ...entries: readonly AuditEntry[]): Promise<void>;
  /** Runs statements as the superuser. */
  run(...statements: readonly string[]): ReturnType<typeof runStatements<Record<string, unknown>>>;
  /** Runs statements as a superuser who has switched the triggers off. */
  tamper(...statements: readonly string[]): Promise<unknown>;
}

/** Makes the trail, and removes it after the test. */
export async function openTrail(): Promise<TestTrail> {
  const url = await createDatabase(inject('databaseUrl'));
  await migrateToLatest(parseDatabaseUrl(url));
  const database = openDatabase(url, createResilience({ clock: systemClock }));
  onTestFinished(async () => {
    await database.close();
    await dropDatabase(url);
  });
  const archive = memoryBlobStore('crownsafe-audit');
  const lines: string[] = [];
  const log = (message: string) => void lines.push(message);
  const logger = { debug: log, info: log, warning: log, error: log, child: () => logger };
  const keyring = createKeyring(secretKey);
  const usual = { clock: systemClock, logger, database, keyring, cursors: createCursors(keyring), archive };
  const trail = createAuditTrail(usual);
  const run: TestTrail['run'] = (...statements) => runStatements(url, ...statements);
  return {
    url,
    database,
    archive,
    trail,
    lines,
    again: (changes) => createAuditTrail({ ...usual, ...changes }),
    act: (userId, ...entries) => as(userId, () => trail.note(entries, signal)),
    run,
    tamper: (...statements) => run('set session_replication_role = replica', ...statements),
  };
}

/** Works as somebody, in an invocation of their own. */
export function as<T>(userId: string, work: () => Promise<T>, correlationId = newId()): Promise<T> {
  const context = {
    correlationId,
    functionName: 'test',
    requestId: newId(),
    userId,
    clientAddress: '203.0.113.7',
    write: undefined,
  };
  return runInContext(context, work);
}

/** Something that was done to a file. */
export function fileEntry(id: string, more: Partial<AuditEntry> = {}): AuditEntry {
  return {
    action: 'file.upload',
    object: { type: 'file', id },
    after: { name: `${id}.png`, size: 7 },
    ...more,
  };
}
