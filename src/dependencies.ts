import type { Config, Finding } from './lib/config/index.ts';
import type { Clock } from './lib/core/index.ts';
import { type Database, reviewAccess } from './lib/database/index.ts';
import { type AuditQuestion, type CriticalCheck, reviewStorage } from './lib/health/index.ts';
import type { Storage } from './lib/storage/index.ts';

/** What the app works with; storage, queue and backups may be one account. */
interface Dependencies {
  /** Without them the address of the database may not be known. */
  readonly secrets: {
    ready(signal: AbortSignal): Promise<void>;
    /** Where a vault is read: what it has, as the settings would have it. */
    readonly ofVault: (() => Partial<Config>) | undefined;
  };
  readonly database: Database;
  readonly storage: Storage;
  readonly queueStorage: Storage;
  readonly backupStorage: Storage;
  /** Of the files. */
  readonly container: string;
}

const backupContainer = 'crownsafe-backups';

/** How each dependency is tried: those that every request needs, and all. */
export function dependencyChecks(on: Dependencies): { critical: CriticalCheck[]; all: CriticalCheck[] } {
  const critical: CriticalCheck[] = [
    {
      name: 'database',
      async ping(signal) {
        await on.secrets.ready(signal);
        await on.database.ping(signal);
      },
    },
    { name: 'blob', ping: (signal) => on.storage.ping(on.container, signal) },
  ];
  return {
    critical,
    all: [
      ...(on.secrets.ofVault ? [{ name: 'vault', ping: on.secrets.ready }] : []),
      ...critical,
      { name: 'backup-blob', ping: (signal) => on.backupStorage.ping(backupContainer, signal) },
      {
        name: 'queue',
        async ping(signal) {
          await on.queueStorage.queue('jobs').approximateLength({ signal });
        },
      },
      {
        name: 'table',
        async ping(signal) {
          await on.storage.table('crownsafebackups').get('none', 'none', { signal });
        },
      },
    ],
  };
}

/**
 * What vault, database and storage are asked in an audit.
 *
 * @param auditWith - the audit of the settings, with these in place of what they have
 */
export function auditQuestions(
  clock: Clock,
  on: Dependencies,
  auditWith: (secrets: Partial<Config>) => Promise<readonly Finding[]>,
): AuditQuestion[] {
  const inStorage = (storage: Storage, name: string) => ({
    name,
    inspect: (signal: AbortSignal) => storage.inspect(name, signal),
  });
  const containers = [
    inStorage(on.storage, on.container),
    inStorage(on.storage, 'crownsafe-trash'),
    inStorage(on.backupStorage, backupContainer),
  ];
  const { ready, ofVault } = on.secrets;
  const vault = ofVault && {
    of: 'vault',
    async ask(signal: AbortSignal) {
      await ready(signal);
      return auditWith(ofVault());
    },
  };
  return [
    ...(vault ? [vault] : []),
    { of: 'database', ask: (signal) => reviewAccess(on.database, clock.now(), signal) },
    { of: 'storage', ask: (signal) => reviewStorage(clock, containers, signal) },
  ];
}
