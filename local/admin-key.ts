import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ApiKeys, createApiKeys, insertApiKey } from '../src/lib/access/index.ts';
import { systemClock } from '../src/lib/core/index.ts';
import { createDatabase, type DatabaseAddress } from '../src/lib/database/index.ts';
import { createResilience } from '../src/lib/resilience/index.ts';
import {
  createApiKeyCheck,
  createKeyring,
  type Keyring,
  newApiKey,
  type RotatingSecret,
} from '../src/lib/security/index.ts';

/**
 * Gives the API key with the scope `admin` that is kept in the local folder. A new one is made when there is none,
 * or when the app would not accept it (another database, another `SECRET_KEY` without the previous one, revoked).
 */
export async function ensureAdminKey(
  folder: string,
  address: DatabaseAddress,
  secretKey: RotatingSecret,
): Promise<string> {
  const file = join(folder, 'admin-key');
  const keyring = createKeyring(() => secretKey);
  const resilience = createResilience({ clock: systemClock });
  const pool = { address, maxConnections: 1 };
  const database = createDatabase({ app: pool, direct: pool, resilience });
  const apiKeys = createApiKeys({ database });
  try {
    const present = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
    if (await isAccepted(apiKeys, keyring, present)) return present;
    const signal = AbortSignal.timeout(10_000);
    const key = newApiKey(keyring);
    await database.transaction('create admin key', signal, (trx) =>
      insertApiKey(trx, key, { name: 'npm start', scopes: ['admin'], createdBy: 'cli:start' }),
    );
    writeFileSync(file, `${key.text}\n`, { mode: 0o600 });
    // The mode above is for a new file only.
    chmodSync(file, 0o600);
    return key.text;
  } finally {
    await database.close();
  }
}

async function isAccepted(apiKeys: ApiKeys, keyring: Keyring, apiKey: string): Promise<boolean> {
  const check = createApiKeyCheck({ clock: systemClock, keyring, find: apiKeys.find, noteUse: () => {} });
  const caller = await check(apiKey, AbortSignal.timeout(10_000));
  return caller !== undefined;
}
