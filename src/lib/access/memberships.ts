import type { Database } from '../database/index.ts';

/** Who belongs to which project. */
export interface Memberships {
  /**
   * Projects of a user: those it is a member of, and of those an identity provider claims for it the ones that exist.
   *
   * @param claimed - ids of projects
   */
  findProjects(userId: string, claimed: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
}

/** Makes the access to memberships. */
export function createMemberships(database: Database): Memberships {
  return {
    findProjects: (userId, claimed, signal) =>
      database.read(
        'find projects of a user',
        signal,
        async (db) => {
          const memberships = db
            .selectFrom('project_members')
            .select('project_id')
            .where('user_id', '=', userId);
          const known = db
            .selectFrom('projects')
            .select('id as project_id')
            .where('id', 'in', [...claimed]);
          const rows = await (claimed.length > 0 ? memberships.union(known) : memberships).execute();
          return rows.map(({ project_id }) => project_id);
        },
        // As with API keys: whoever takes back an order on the breaker of the database proves first who they are.
        { ignoresOrders: true },
      ),
  };
}
