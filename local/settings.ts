import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LocalError } from './local-error.ts';
import type { AzuritePorts } from './services/azurite.ts';

/** Environment variables, or settings in the same form; empty ones are left out. */
export type Environment = Readonly<Record<string, string>>;

/** How things are run on this machine. */
export interface LocalSettings {
  /** The checkout. */
  readonly root: string;
  /** Holds data, logs, secrets and the lock. */
  readonly folder: string;
  readonly port: number;
  readonly azuritePorts: AzuritePorts;
  readonly postgresPort: number;
  /** The user's own settings of the app: `Values` of local.settings.json, and over them the environment. */
  readonly own: Environment;
}

/**
 * Reads `PORT`, `LOCAL_FOLDER`, `AZURITE_BLOB_PORT`, `AZURITE_QUEUE_PORT`, `AZURITE_TABLE_PORT` and
 * `LOCAL_POSTGRES_PORT`, all optional, and the user's own settings of the app.
 *
 * @throws LocalError for a port that is none, or a local.settings.json that cannot be read
 */
export function readLocalSettings(root: string, environment: NodeJS.ProcessEnv): LocalSettings {
  const given = withoutEmpty(environment);
  return {
    root,
    folder: resolve(root, given['LOCAL_FOLDER'] ?? '.local'),
    port: readPort(given, 'PORT', 7071),
    azuritePorts: {
      blob: readPort(given, 'AZURITE_BLOB_PORT', 10_000),
      queue: readPort(given, 'AZURITE_QUEUE_PORT', 10_001),
      table: readPort(given, 'AZURITE_TABLE_PORT', 10_002),
    },
    postgresPort: readPort(given, 'LOCAL_POSTGRES_PORT', 5433),
    own: { ...readSettingsFile(join(root, 'local.settings.json')), ...given },
  };
}

function withoutEmpty(environment: NodeJS.ProcessEnv): Environment {
  const entries = Object.entries(environment).flatMap(([name, value]) =>
    value ? [[name, value] as const] : [],
  );
  return Object.fromEntries(entries);
}

function readPort(environment: Environment, name: string, otherwise: number): number {
  const text = environment[name];
  if (text === undefined) return otherwise;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new LocalError(`${name} is "${text}", which is not a port. Set it to a number from 1 to 65535.`);
}

function readSettingsFile(file: string): Environment {
  if (!existsSync(file)) return {};
  try {
    return withoutEmpty(JSON.parse(readFileSync(file, 'utf8')).Values ?? {});
  } catch (cause) {
    throw new LocalError(`${file} is not JSON. Mend it, or remove it.`, { cause });
  }
}
