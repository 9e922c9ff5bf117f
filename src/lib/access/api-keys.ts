import type { Database } from '../database/index.ts';
import { isScope, type StoredApiKey } from '../security/index.ts';

/** The API keys, as whoever proves a caller needs them. */
export interface ApiKeys {
  find(id: string, signal: AbortSignal): Promise<StoredApiKey | undefined>;
}

/** Makes the access to API keys. */
export function createApiKeys({ database }: { readonly database: Database }): ApiKeys {
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
  };
}
