import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { isAppError, systemClock } from '../src/lib/core/index.ts';
import { parseDatabaseUrl } from '../src/lib/database/index.ts';
import { createAuthenticator, createKeyring, type Keyring, newApiKey } from '../src/lib/security/index.ts';

/**
 * Gives the API key with the scope `admin` that is kept in the local folder. A new one is made when there is none,
 * or when the database does not accept it (another database, another `SECRET_KEY`, revoked).
 */
export async function ensureAdminKey(
  folder: string,
  databaseUrl: string,
  secretKey: string,
): Promise<string> {
  const file = join(folder, 'admin-key');
  const keyring = createKeyring(secretKey);
  const { tls, ...address } = parseDatabaseUrl(databaseUrl);
  const client = new pg.Client({ ...address, ssl: tls ?? false });
  await client.connect();
  try {
    const present = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
    if (await isAccepted(client, keyring, present)) return present;
    const key = newApiKey(keyring);
    await client.query('insert into api_keys (id, name, hash, scopes) values ($1, $2, $3, $4)', [
      ...[key.id, 'npm start', key.hash, ['admin']],
    ]);
    writeFileSync(file, `${key.text}\n`, { mode: 0o600 });
    chmodSync(file, 0o600);
    return key.text;
  } finally {
    await client.end();
  }
}

/** Asks the way the app does. */
async function isAccepted(client: pg.Client, keyring: Keyring, apiKey: string): Promise<boolean> {
  const authenticate = createAuthenticator({
    clock: systemClock,
    keyring,
    async findApiKey(id) {
      const { rows } = await client.query(
        'select hash, scopes, expires_at, revoked_at from api_keys where id = $1',
        [id],
      );
      return rows.map((row) => ({
        hash: row.hash,
        scopes: row.scopes,
        expiresAt: row.expires_at?.getTime(),
        revokedAt: row.revoked_at?.getTime(),
        projectIds: [],
      }))[0];
    },
  });
  try {
    await authenticate({ apiKey, authorization: undefined }, new AbortController().signal);
    return true;
  } catch (error) {
    if (isAppError(error)) return false;
    throw error;
  }
}
