import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  applyRoles,
  listMigrations,
  migrateDown,
  migrateToLatest,
  parseDatabaseUrl,
} from '../../../src/lib/database/index.ts';
import { createDatabase, dropDatabase } from '../../support/databases.ts';
import { type OwnPostgres, runStatements, startOwnPostgres, urlWith } from '../../support/own-postgres.ts';

/* Roles are the server's, so these tests have a server of their own. */

const login = 'crownsafe';
let server: OwnPostgres;
/** The database of all tests that change no table, migrated before it had roles. */
let url: string;
let appUrl: string;

beforeAll(async () => {
  server = await startOwnPostgres();
  ({ url, appUrl } = server);
  await migrateToLatest(parseDatabaseUrl(url));
  await applyRoles(parseDatabaseUrl(url), { login });
});
afterAll(() => server.stop());

/** A database for one test, and how the app would log in to it. */
async function makeDatabase() {
  const own = await createDatabase(url);
  onTestFinished(() => dropDatabase(own));
  return { own, appOwn: urlWith(appUrl, { database: new URL(own).pathname.slice(1) }) };
}

/** Acts as one of the roles that the login may take on; `none` is the login itself. */
const as = (role: string, statement: string, at = appUrl) => runStatements(at, `set role ${role}`, statement);

const forbidden = { code: '42501' };
const file = `insert into files (id, name, content_type, size, sha256, status, owner_id, container, blob_name, created_at)
  values (gen_random_uuid(), 'a', 'b', 1, repeat('a', 64), 'available', 'o', 'c', 'b', now())`;

describe('the login of the app', () => {
  it('acts as app, and holds no right itself', async () => {
    const [who] = await runStatements(appUrl, 'select current_user as role, session_user as login');

    expect(who).toEqual({ role: 'app', login });
    await expect(as('none', 'select from files')).rejects.toMatchObject(forbidden);
    await expect(as('none', file)).rejects.toMatchObject(forbidden);
    await expect(as('none', 'create table mine ()')).rejects.toMatchObject(forbidden);
  });

  it('may not act as the owner of the tables, nor as anybody else', async () => {
    await expect(as('schema_owner', 'select')).rejects.toMatchObject(forbidden);
    await expect(as('postgres', 'select')).rejects.toMatchObject(forbidden);
  });

  it('has limits on every connection', async () => {
    const limits = await runStatements(
      appUrl,
      `select name, setting from pg_settings where source = 'user' and name like '%t%' order by name`,
    );

    expect(limits).toEqual([
      { name: 'client_connection_check_interval', setting: '1000' },
      { name: 'idle_in_transaction_session_timeout', setting: '240000' },
      { name: 'statement_timeout', setting: '240000' },
    ]);
  });

  it('has its query ended soon after the client has gone without a word', async () => {
    const client = new pg.Client(appUrl);
    client.on('error', () => {});
    await client.connect();
    const asking = client.query('select pg_sleep(60) /* abandoned */');
    asking.catch(() => {});
    const running = () =>
      runStatements(
        url,
        `select from pg_stat_activity where query like '%/* abandoned */' and state = 'active'`,
      );
    await vi.waitFor(async () => expect(await running()).toHaveLength(1));

    const goneAt = performance.now();
    client.connection.stream.destroy();

    await vi.waitFor(async () => expect(await running()).toEqual([]), { timeout: 10_000 });
    expect(performance.now() - goneAt).toBeLessThan(4_000);
  });
});

describe('acting as app', () => {
  it('reads and writes the tables', async () => {
    await runStatements(appUrl, file, "update files set name = 'c'", 'delete from files');

    expect(await runStatements(appUrl, 'select from files')).toEqual([]);
  });

  it.each([
    ['empty a table in one go', 'truncate files'],
    ['change a table', 'alter table files add column more text'],
    ['drop a table', 'drop table files'],
    ['make a table', 'create table mine ()'],
    ['make a schema', 'create schema mine'],
    ['index a table', 'create index on files (name)'],
    [
      'watch a table',
      'create trigger t before insert on files execute function suppress_redundant_updates_trigger()',
    ],
    ['read passwords', 'select from pg_authid'],
    ['say that a migration has run', "insert into kysely_migration values ('9999', now()::text)"],
    ['say that no migration has run', 'delete from kysely_migration'],
    ['hold migrations up', 'update kysely_migration_lock set is_locked = 1'],
    ['let others act as it', 'grant app to pg_monitor'],
    ['remove from the audit trail', 'delete from audit_log'],
    ['change what the audit trail says', "update audit_log set action = 'a.b'"],
    ['remove seals', 'delete from audit_seals'],
    ['change seals', "update audit_seals set hash = sha256('')"],
    ['put other names into the audit trail', "update audit_actors set user_id = 'somebody'"],
  ])('may not %s', async (_, statement) => {
    await expect(runStatements(appUrl, statement)).rejects.toMatchObject(forbidden);
  });

  it('may see which migrations have run', async () => {
    expect(await runStatements(appUrl, 'select name from kysely_migration')).not.toEqual([]);
  });
});

describe.each(['backup', 'verify'])('acting as %s', (role) => {
  it('reads the tables, and writes nothing', async () => {
    expect(await as(role, 'select from files')).toEqual([]);
    await expect(as(role, file)).rejects.toMatchObject(forbidden);
    await expect(as(role, 'delete from files')).rejects.toMatchObject(forbidden);
    await expect(as(role, 'truncate files')).rejects.toMatchObject(forbidden);
    await expect(as(role, 'create table mine ()')).rejects.toMatchObject(forbidden);
  });
});

describe('what a schema of somebody else holds', () => {
  it('is read by backup only', async () => {
    await runStatements(url, 'create schema other', 'create table other.secrets ()');

    expect(await as('backup', 'select from other.secrets')).toEqual([]);
    await expect(as('verify', 'select from other.secrets')).rejects.toMatchObject(forbidden);
    await expect(as('app', 'select from other.secrets')).rejects.toMatchObject(forbidden);
  });
});

describe('applying the roles', () => {
  it('changes nothing the second time', async () => {
    const again = await applyRoles(parseDatabaseUrl(url), { login });

    expect(again).toEqual({ made: [], adopted: [], backupReadsEverything: true });
  });

  it('can be done twice at once', async () => {
    const { own, appOwn } = await makeDatabase();
    await migrateToLatest(parseDatabaseUrl(own));

    const applied = await Promise.all(
      Array.from({ length: 4 }, () => applyRoles(parseDatabaseUrl(own), { login })),
    );

    expect(applied.filter(({ adopted }) => adopted.length > 0)).toHaveLength(1);
    await runStatements(appOwn, file);
  });

  it('before the first migration gives the same rights', async () => {
    const { own, appOwn } = await makeDatabase();
    await applyRoles(parseDatabaseUrl(own), { login });

    await migrateToLatest(parseDatabaseUrl(own));

    await runStatements(appOwn, file);
    expect(await as('verify', 'select from files', appOwn)).toHaveLength(1);
    await expect(runStatements(appOwn, 'delete from kysely_migration')).rejects.toMatchObject(forbidden);
  });

  it('lets migrations go down and up again, with the same rights', async () => {
    const { own, appOwn } = await makeDatabase();
    const address = parseDatabaseUrl(own);
    await migrateToLatest(address);
    await applyRoles(address, { login });
    const count = (await listMigrations(address)).length;

    for (let index = 0; index < count; index++) await migrateDown(address);
    await migrateToLatest(address);

    await runStatements(appOwn, file);
    const owners = await runStatements(
      own,
      `select distinct relowner::regrole::text as owner from pg_class
       where relnamespace = 'public'::regnamespace`,
    );
    expect(owners).toEqual([{ owner: 'schema_owner' }]);
  });

  it('takes over whatever somebody else owns, but not what an extension has brought', async () => {
    const { own, appOwn } = await makeDatabase();
    await runStatements(
      own,
      'create table counted (id serial primary key, n integer generated always as identity)',
      'create sequence alone',
      'create view seen as select * from counted',
      'create extension pg_buffercache',
      `create function twice(n integer, "w h y" text default '') returns integer language sql as 'select 2 * n'`,
      'create procedure nothing() language sql begin atomic end',
      "create type colour as enum ('red')",
      'create domain small as integer check (value < 9)',
      'create type pair as (a integer, b text)',
      'create type span as range (subtype = integer)',
    );

    const { adopted } = await applyRoles(parseDatabaseUrl(own), { login });

    expect(adopted).toEqual([
      ...['nothing()', 'twice(integer,text)'],
      ...['alone', 'counted', 'seen'],
      ...['colour', 'pair', 'small', 'span'],
    ]);
    await runStatements(appOwn, 'insert into counted default values', "select nextval('alone')");
    expect(await runStatements(appOwn, 'select id, n from seen')).toEqual([{ id: 1, n: 1 }]);
    await expect(runStatements(appOwn, 'select from pg_buffercache')).rejects.toMatchObject(forbidden);
  });

  it('closes the schema to everybody else', async () => {
    const { own } = await makeDatabase();
    await runStatements(
      own,
      'grant create on schema public to public',
      'create role somebody login password $$x$$',
    );
    onTestFinished(async () => void (await runStatements(url, 'drop role somebody')));

    await applyRoles(parseDatabaseUrl(own), { login });

    const somebody = urlWith(own, { user: 'somebody', password: 'x' });
    await expect(runStatements(somebody, 'create table theirs ()')).rejects.toMatchObject(forbidden);
  });

  it('lets the login in where the database is closed to the public', async () => {
    const { own, appOwn } = await makeDatabase();
    await runStatements(own, `revoke connect on database ${new URL(own).pathname.slice(1)} from public`);

    await applyRoles(parseDatabaseUrl(own), { login });

    expect(await runStatements(appOwn, 'select current_user as role')).toEqual([{ role: 'app' }]);
  });

  it('works for logins and tables with names that need quoting', async () => {
    const { own } = await makeDatabase();
    await runStatements(
      own,
      `create role "id-Crown's ""Safe""" login password 'x'`,
      'create table "T a""b" ()',
    );
    const name = `id-Crown's "Safe"`;
    onTestFinished(async () => void (await runStatements(url, `drop role "id-Crown's ""Safe"""`)));

    const { adopted } = await applyRoles(parseDatabaseUrl(own), { login: name });

    expect(adopted).toEqual(['"T a""b"']);
    const asLogin = urlWith(own, { user: name, password: 'x' });
    expect(await runStatements(asLogin, 'select from "T a""b"')).toEqual([]);
  });
});

describe('applying the roles is refused, and changes nothing,', () => {
  it.each([
    ['without a login', 'nobody', 'There is no role nobody'],
    ['for the one who deploys', 'postgres', 'postgres cannot be the login of the app'],
    ['for a role that nobody logs in as', 'verify', 'verify is a role that nobody logs in as'],
    ['for a superuser', 'mighty', 'mighty may do more than an app should: it is superuser, createdb'],
    [
      'for a member of other roles',
      'member',
      'member may do more than an app should: it is a member of pg_monitor',
    ],
    [
      'for one who owns what is in the database',
      'owning',
      'owning may do more than an app should: it is owner of the database or of what is in it',
    ],
    ['for a name that the server would cut off', 'x'.repeat(64), 'is too long for the name of a role'],
  ])('%s', async (_, name, words) => {
    await runStatements(
      url,
      'drop table if exists owned',
      'drop role if exists mighty, member, owning',
      'create role owning login',
      'create table owned (id integer)',
      'alter table owned owner to owning',
      'create role mighty superuser createdb login',
      'create role member login in role pg_monitor',
    );

    const applying = applyRoles(parseDatabaseUrl(url), { login: name });

    await expect(applying).rejects.toMatchObject({ name: 'RoleError', code: 'roles_refused' });
    await expect(applying).rejects.toThrow(words);
    expect(
      await runStatements(url, `select rolconfig from pg_roles where rolname in ('mighty', 'member')`),
    ).toEqual([{ rolconfig: null }, { rolconfig: null }]);
  });

  it('on a server that knows no identities of Microsoft Entra', async () => {
    const applying = applyRoles(parseDatabaseUrl(url), {
      login: 'id-crownsafe',
      entraObjectId: '00000000-0000-0000-0000-000000000001',
    });

    await expect(applying).rejects.toThrow('This server knows no identities of Microsoft Entra');
    expect(await runStatements(url, `select from pg_roles where rolname = 'id-crownsafe'`)).toEqual([]);
  });

  it('while somebody uses a table that would change hands', async () => {
    const { own } = await makeDatabase();
    await runStatements(own, 'create table used ()');
    const user = new pg.Client(own);
    await user.connect();
    await user.query('begin; select from used');

    const applying = applyRoles(parseDatabaseUrl(own), { login });

    await expect(applying).rejects.toThrow('Somebody has been using a table for too long');
    await user.end();
  });
});

describe('a server that has a role of the same name for something else', () => {
  it('keeps it as it is, and is told so', async () => {
    const other = await startOwnPostgres();
    onTestFinished(() => other.stop());
    await runStatements(other.url, 'create role app login', 'comment on role app is $$the shop$$');

    const applying = applyRoles(parseDatabaseUrl(other.url), { login });

    await expect(applying).rejects.toThrow(
      /The server has a role app already, which was not made by this command.*comment on role app is 'Crown Safe: /,
    );
    expect(
      await runStatements(
        other.url,
        `select rolname from pg_roles where rolname in ('app', 'backup', 'schema_owner')`,
      ),
    ).toEqual([{ rolname: 'app' }]);
  });
});

describe('migrations', () => {
  it('are refused to one who may not act as the owner of the tables, if there are any to run', async () => {
    const { own, appOwn } = await makeDatabase();
    await applyRoles(parseDatabaseUrl(own), { login });

    const early = migrateToLatest(parseDatabaseUrl(appOwn));

    await expect(early).rejects.toMatchObject({ name: 'RoleError' });
    await expect(early).rejects.toThrow(
      'The tables belong to schema_owner, which crownsafe may not act as: crownsafe roles apply, run by crownsafe, lets it',
    );
    await migrateToLatest(parseDatabaseUrl(own));
    expect(await migrateToLatest(parseDatabaseUrl(appOwn))).toEqual([]);
    await expect(migrateDown(parseDatabaseUrl(appOwn))).rejects.toMatchObject({ name: 'RoleError' });
  });
});

it('are applied only when nobody is migrating', async () => {
  const migrating = new pg.Client(url);
  await migrating.connect();
  await migrating.query('select pg_advisory_lock(6203911557)');
  let applied = false;

  const applying = applyRoles(parseDatabaseUrl(url), { login }).then(() => {
    applied = true;
  });
  const asked = async () => {
    const { rows } = await migrating.query(
      `select from pg_stat_activity where query like '%pg_try_advisory_lock%' and pid <> pg_backend_pid()`,
    );
    return rows.length;
  };
  await expect.poll(asked, { timeout: 10_000 }).toBeGreaterThan(0);
  expect(applied).toBe(false);
  await migrating.end();

  await applying;
});
