import { type Clock, toTimestamp } from '../core/index.ts';
import type { Database } from '../database/index.ts';
import { isScope, type Keyring, newApiKey, type Scope, type StoredApiKey } from '../security/index.ts';

interface ApiKeysPorts {
  readonly clock: Clock;
  readonly database: Database;
  readonly keyring: Keyring;
}

/** What is shown of a key; its secret is nowhere. */
export interface ApiKeyDescription {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

/** The API keys, as the database keeps them. */
export interface ApiKeys {
  find(id: string, signal: AbortSignal): Promise<StoredApiKey | undefined>;
  /** All keys, newest first, at most 1,000. */
  list(signal: AbortSignal): Promise<readonly ApiKeyDescription[]>;
  /** Ends a key for good. Returns false when there is no such key that still works. */
  revoke(id: string, signal: AbortSignal): Promise<boolean>;
  /**
   * Makes a key.
   *
   * @param options - `expiresAt` in milliseconds since the epoch; left out, the key lives until it is revoked
   * @returns the text of the key; it is not kept anywhere
   */
  create(
    options: { readonly name: string; readonly scopes: readonly Scope[]; readonly expiresAt?: number },
    signal: AbortSignal,
  ): Promise<{ id: string; text: string }>;
}

/** Makes the access to API keys. */
export function createApiKeys({ clock, database, keyring }: ApiKeysPorts): ApiKeys {
  return {
    find: (id, signal) =>
      database.read(
        'find API key',
        signal,
        async (db) => {
          // One round trip, and nothing of it is kept: a key that is revoked is refused from then on everywhere.
          const rows = await db
            .selectFrom('api_keys')
            .leftJoin('project_members', (join) => join.on('user_id', '=', `key:${id}`))
            .select(['hash', 'scopes', 'expires_at', 'revoked_at', 'project_id'])
            .where('id', '=', id)
            .execute();
          const [row] = rows;
          if (!row) return undefined;
          return {
            hash: row.hash,
            scopes: row.scopes.filter(isScope),
            expiresAt: row.expires_at?.getTime(),
            revokedAt: row.revoked_at?.getTime(),
            projectIds: rows.flatMap(({ project_id }) => project_id ?? []),
          };
        },
        // Whoever takes back an order on the breaker of the database proves first who they are.
        { ignoresOrders: true },
      ),
    list: (signal) =>
      database.read('list API keys', signal, async (db) => {
        const rows = await db
          .selectFrom('api_keys')
          .selectAll()
          .orderBy('created_at', 'desc')
          .limit(1_000)
          .execute();
        return rows.map(({ id, name, scopes, created_at, expires_at, revoked_at }) => ({
          id,
          name,
          scopes,
          createdAt: created_at,
          expiresAt: expires_at,
          revokedAt: revoked_at,
        }));
      }),
    async revoke(id, signal) {
      const revoked = await database.transaction('revoke API key', signal, (trx) =>
        trx
          .updateTable('api_keys')
          .set({ revoked_at: toTimestamp(clock.now()) })
          .where('id', '=', id)
          .where('revoked_at', 'is', null)
          .returning('id')
          .executeTakeFirst(),
      );
      return revoked !== undefined;
    },
    async create({ name, scopes, expiresAt }, signal) {
      const { id, hash, text } = newApiKey(keyring);
      const row = {
        id,
        name,
        hash,
        scopes: [...scopes],
        ...(expiresAt !== undefined && { expires_at: toTimestamp(expiresAt) }),
      };
      await database.transaction('create API key', signal, (trx) =>
        trx.insertInto('api_keys').values(row).execute(),
      );
      return { id, text };
    },
  };
}
