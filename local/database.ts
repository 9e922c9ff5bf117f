import { deployerAddress } from '../src/cli/deployer.ts';
import { ConfigError, loadConfig, loadDatabaseSettings } from '../src/lib/config/index.ts';
import { applyRoles, migrateToLatest, parseDatabaseUrl } from '../src/lib/database/index.ts';
import { ensureAdminKey } from './admin-key.ts';
import { errorCode, LocalError } from './local-error.ts';
import { appLogin, type PostgresUrls } from './services/postgres-urls.ts';
import type { Environment } from './settings.ts';

/**
 * Brings the database that the app will use up to date, as a deployment would: the superuser of our own PostgreSQL
 * applies roles and migrations, and the app logs in with less. A database of the user's own is left its roles.
 *
 * @param ours - the PostgreSQL of this checkout, where the app uses it
 * @returns an API key with the scope `admin`
 * @throws LocalError when the settings are not usable, or the database cannot be reached
 */
export async function prepareDatabase(
  folder: string,
  env: Environment,
  ours?: PostgresUrls,
): Promise<string> {
  const { secretKey, database } = readSettings(env);
  const address = deployerAddress(database);
  const deployer = ours ? parseDatabaseUrl(ours.url) : address;
  try {
    if (ours) await applyRoles(deployer, { login: appLogin });
    await migrateToLatest(deployer);
  } catch (cause) {
    const advice = adviceFor(cause);
    if (advice === undefined) throw cause;
    const words = (cause instanceof Error && cause.message) || errorCode(cause);
    throw new LocalError(`The database of DATABASE_URL cannot be used: ${words}. ${advice}`, { cause });
  }
  return ensureAdminKey(folder, address, secretKey);
}

/** Reads the settings as the app will, whose own complaint would come with a stack. */
function readSettings(env: Environment) {
  try {
    const { SECRET_KEY: current, SECRET_KEY_PREVIOUS: previous } = loadConfig(env);
    if (current === undefined)
      throw new LocalError('Set SECRET_KEY: the API key of this machine is made with it.');
    return { secretKey: { current, previous }, database: loadDatabaseSettings(env) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new LocalError(`${error.message}\nThey come from the environment and from local.settings.json.`);
  }
}

/** What the user can do about an error of the database; `undefined` for one that is ours. */
function adviceFor(error: unknown): string | undefined {
  const code = errorCode(error);
  if (error instanceof Error && error.message.includes('password must be a')) {
    return 'The address has no password. Give it one; over TLS (sslmode=require) a token of your identity takes its place.';
  }
  if (code === forbidden) {
    return 'This role may not migrate: run crownsafe roles apply and crownsafe migrate up as the owner of the database.';
  }
  if (code?.includes('CERT')) {
    return 'Its certificate is not trusted: NODE_EXTRA_CA_CERTS names a file with the one that vouches for it.';
  }
  return code !== undefined && unusable.includes(code)
    ? 'Start it, mend the address, or unset it to have one started here.'
    : undefined;
}

/** SQLSTATE. */
const forbidden = '42501';

/** Nobody there, no such host, no token, tables of somebody else, and SQLSTATEs: no such role or wrong password, no such database. */
const unusable = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'identity_unavailable',
  'identity_refused',
  'roles_refused',
  '28000',
  '28P01',
  '3D000',
];
