import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from './local-error.ts';

/** What is generated once for a checkout and then kept. */
export interface LocalSecrets {
  readonly secretKey: string;
  readonly databasePassword: string;
}

/** Reads the secrets of the local folder; the first time they are made, readable by their owner only. */
export function localSecrets(folder: string): LocalSecrets {
  const file = join(folder, 'secrets.json');
  const fresh = { secretKey: newSecret(), databasePassword: newSecret() };
  try {
    writeFileSync(file, `${JSON.stringify(fresh, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    return fresh;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    return JSON.parse(readFileSync(file, 'utf8'));
  }
}

function newSecret(): string {
  return randomBytes(32).toString('base64url');
}
