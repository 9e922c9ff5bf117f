import { type Database, sql } from '../database/index.ts';
import type { Keyring } from '../security/index.ts';

/** A column of encrypted values, by whoever writes it. */
export interface EncryptedColumn {
  readonly table: string;
  readonly column: string;
  /**
   * Encrypts under the current key what is not, in batches of its own transactions, so that it may be broken off and begun again.
   *
   * @param onProgress - told how many are done
   * @returns how many values it has encrypted
   */
  reencrypt(signal: AbortSignal, onProgress: (done: number) => void): Promise<number>;
}

/** How many values of a column there are, and how many of them need another key than the current one. */
export interface ColumnState {
  readonly total: number;
  readonly outdated: number;
}

/** An API key whose hash is by another secret than the current one. */
export interface OutdatedApiKey {
  readonly id: string;
  readonly name: string;
}

interface KeyRotationPorts {
  readonly database: Database;
  readonly keyring: Keyring;
}

const maxListed = 1_000;
/** As long as every beginning of an encrypted value by which its key is told. */
const headBytes = 9;

export type KeyRotation = ReturnType<typeof createKeyRotation>;

/** Tells what still needs the previous `SECRET_KEY`. */
export function createKeyRotation({ database, keyring }: KeyRotationPorts) {
  return {
    /** Counts exactly, as of one moment. */
    async inspect({ table, column }: EncryptedColumn, signal: AbortSignal): Promise<ColumnState> {
      const heads = await database.read('count encrypted values', signal, async (db) => {
        const { rows } = await sql<{ head: Buffer; values: number }>`
          select substring(${sql.ref(column)} from 1 for ${headBytes}) as head, count(*) as values
          from ${sql.table(table)} where ${sql.ref(column)} is not null group by 1`.execute(db);
        return rows;
      });
      const sum = (counted: typeof heads) => counted.reduce((total, { values }) => total + values, 0);
      return {
        total: sum(heads),
        outdated: sum(heads.filter(({ head }) => !keyring.isCurrent(head))),
      };
    },

    /**
     * API keys that still work and were not used since the given time, oldest first, at most 1,000: a use is what has a hash made
     * anew, and one that was used since needs the current secret only.
     *
     * @param since - when the last instance began to sign with the current secret
     */
    unusedApiKeys: (since: Date, signal: AbortSignal): Promise<readonly OutdatedApiKey[]> =>
      database.read('find unused API keys', signal, (db) =>
        db
          .selectFrom('api_keys')
          .select(['id', 'name'])
          .where('revoked_at', 'is', null)
          .where(sql<boolean>`coalesce(expires_at > now(), true)`)
          .where(sql<boolean>`coalesce(last_used_at, created_at) < ${since}`)
          .orderBy('created_at')
          .limit(maxListed)
          .execute(),
      ),
  };
}
