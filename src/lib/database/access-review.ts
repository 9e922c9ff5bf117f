import { sql } from 'kysely';
import type { Finding } from '../config/index.ts';
import type { Database, Db } from './database.ts';
import { schemaOwner } from './roles/role-names.ts';

/** What the server tells of the role that the app logs in as, and of itself. */
interface AccessFacts {
  readonly login: string;
  /** What neither the login nor any role it may act as should be able to: `superuser`, `createrole`, … */
  readonly powers: readonly string[];
  /** It owns tables, or may act as who does: it may drop them. */
  readonly mayDrop: boolean;
  /** Every role of the server may make tables in the schema. */
  readonly isOpenToAll: boolean;
  /** As `server_version_num`: 16.4 is 160004. */
  readonly serverVersion: number;
}

/** When a line of PostgreSQL gets no more fixes. Source: postgresql.org/support/versioning. */
const endOfLife: Readonly<Record<number, string>> = {
  13: '2025-11-13',
  14: '2026-11-12',
  15: '2027-11-11',
  16: '2028-11-09',
  17: '2029-11-08',
  18: '2030-11-14',
};

const applyRoles =
  'crownsafe roles apply --login <name>, and that login in DATABASE_URL and DATABASE_DIRECT_URL';

/**
 * What weakens the database, as its server tells the app itself.
 *
 * @param now - milliseconds since the epoch
 * @throws AppError as {@link Database.read}
 */
export async function reviewAccess(database: Database, now: number, signal: AbortSignal): Promise<Finding[]> {
  const facts = await database.read('review access', signal, readFacts);
  const line = Math.floor(facts.serverVersion / 10_000);
  const end = endOfLife[line];
  const isOld = line < 13 || (end !== undefined && now > Date.parse(end));
  return [
    ...finding(facts.powers.length > 0, {
      id: 'database_superuser',
      level: 'critical',
      title: `The app logs in to the database as ${facts.login}, who is ${facts.powers.join(', ')}: whoever takes over the app has the server`,
      fix: applyRoles,
    }),
    ...finding(facts.mayDrop, {
      id: 'database_owner',
      level: 'high',
      title: `The app logs in to the database as ${facts.login}, who may change and drop its tables`,
      fix: applyRoles,
    }),
    ...finding(facts.isOpenToAll, {
      id: 'schema_open_to_all',
      level: 'medium',
      title: 'Every login of the database server may put tables and functions beside ours',
      fix: 'crownsafe roles apply --login <name>, or: revoke create on schema public from public',
    }),
    ...finding(isOld, {
      id: 'database_end_of_life',
      level: 'high',
      title: `PostgreSQL ${line} gets no more security fixes`,
      fix: 'Upgrade the server: az postgres flexible-server upgrade --name <server> --resource-group <group> --version <newer>',
    }),
  ];
}

function finding(isSo: boolean, what: Finding): Finding[] {
  return isSo ? [what] : [];
}

/**
 * Of the login and of all it may act as, also only when it says so: whoever takes over the app says so. That it may read everything
 * for dumps, and no more, is meant.
 */
async function readFacts(db: Db): Promise<AccessFacts> {
  const { rows } = await sql<AccessFacts>`
    with us as (select * from pg_roles where pg_has_role(session_user, oid, 'MEMBER'))
    select session_user::text as login,
           array_remove(array[
             case when bool_or(rolsuper) then 'superuser' end, case when bool_or(rolcreaterole) then 'createrole' end,
             case when bool_or(rolcreatedb) then 'createdb' end,
             case when bool_or(rolreplication) then 'replication' end,
             case when bool_or(rolbypassrls) then 'bypassrls' end,
             case when bool_or(rolname in ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program'))
               then 'able to use files of the server' end], null) as powers,
           exists (select from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace
                   and pg_has_role(session_user, relowner, 'MEMBER'))
             or exists (select from pg_roles where rolname = ${schemaOwner}
                        and pg_has_role(session_user, oid, 'MEMBER')) as "mayDrop",
           has_schema_privilege('public', 'public', 'CREATE') as "isOpenToAll",
           current_setting('server_version_num')::integer as "serverVersion"
    from us`.execute(db);
  const [facts] = rows;
  if (!facts) throw new Error('The server does not tell who is logged in');
  return facts;
}
