import { toTimestamp } from '../core/index.ts';
import type { Database } from '../database/index.ts';
import { isScope, type Keyring, newApiKey, type Scope, type StoredApiKey } from '../security/index.ts';

interface ApiKeysPorts {
  readonly database: Database;
  readonly keyring: Keyring;
}

/** The API keys, as the database keeps them. */
export interface ApiKeys {
  find(id: string, signal: AbortSignal): Promise<StoredApiKey | undefined>;
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
export function createApiKeys({ database, keyring }: ApiKeysPorts): ApiKeys {
  return {
    find: (id, signal) =>
      database.read('find API key', signal, async (db) => {
        const row = await db.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst();
        if (!row) return undefined;
        const memberships = await db
          .selectFrom('project_members')
          .select('project_id')
          .where('user_id', '=', `key:${id}`)
          .execute();
        return {
          hash: row.hash,
          scopes: row.scopes.filter(isScope),
          expiresAt: row.expires_at?.getTime(),
          revokedAt: row.revoked_at?.getTime(),
          projectIds: memberships.map((membership) => membership.project_id),
        };
      }),
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
