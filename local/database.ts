import { type Config, ConfigError, loadConfig } from '../src/lib/config/index.ts';
import { migrateToLatest } from '../src/lib/database/index.ts';
import { ensureAdminKey } from './admin-key.ts';
import { errorCode, LocalError } from './local-error.ts';
import type { Environment } from './settings.ts';

/**
 * Brings the database that the app will use up to date.
 *
 * @returns an API key with the scope `admin`
 * @throws LocalError when the settings are not usable, or the database cannot be reached
 */
export async function prepareDatabase(folder: string, env: Environment): Promise<string> {
  const { DATABASE_DIRECT_URL, SECRET_KEY } = readConfig(env);
  try {
    await migrateToLatest(DATABASE_DIRECT_URL);
  } catch (cause) {
    const code = errorCode(cause);
    if (code === undefined || !unreachable.includes(code)) throw cause;
    throw new LocalError(
      `The database of DATABASE_URL cannot be used: ${cause instanceof Error && cause.message ? cause.message : code}. Start it, mend the address, or unset it to have one started here.`,
      { cause },
    );
  }
  return ensureAdminKey(folder, DATABASE_DIRECT_URL, SECRET_KEY);
}

/** Reads the settings as the app will, whose own complaint would come with a stack. */
function readConfig(env: Environment): Config {
  try {
    return loadConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new LocalError(`${error.message}\nThey come from the environment and from local.settings.json.`);
  }
}

/** Nobody there, no such host, and SQLSTATEs: no such role or wrong password, no such database. */
const unreachable = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', '28000', '28P01', '3D000'];
