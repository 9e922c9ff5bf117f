import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  applyRoles,
  migrateDown,
  migrateToLatest,
  parseDatabaseUrl,
} from '../../../src/lib/database/index.ts';
import { type OwnPostgres, runStatements, startOwnPostgres, urlWith } from '../../support/own-postgres.ts';

/* No customer of a cloud is a superuser. */

const password = 'x';
const login = 'id-crownsafe';
const forbidden = { code: '42501' };
let server: OwnPostgres;

beforeAll(async () => {
  server = await startOwnPostgres();
});
afterAll(() => server.stop());

/** The server's only database, as one of its roles. */
const urlOf = (user: string, database = 'crownsafe') => urlWith(server.url, { user, password, database });
const act = (role: string, statement: string) => runStatements(urlOf(login), `set role ${role}`, statement);

/*
 * As Azure sets a server up: administrators are members of one role, which owns the schema public and may grant
 * pg_read_all_data; nobody of them owns the database. (Dump of the roles of a flexible server 16.)
 */
describe('an administrator as in Azure', () => {
  beforeAll(() =>
    runStatements(
      server.url,
      'create role azure_pg_admin',
      'grant pg_read_all_data to azure_pg_admin with admin option',
      'alter schema public owner to azure_pg_admin',
      `create role deployer login createrole createdb password '${password}' in role azure_pg_admin`,
      `create role colleague login createrole createdb password '${password}' in role azure_pg_admin`,
    ),
  );

  it('applies the roles, again and again, and migrates', async () => {
    const address = parseDatabaseUrl(urlOf('deployer'));
    await runStatements(urlOf('deployer'), `create role "${login}" login password '${password}'`);

    const first = await applyRoles(address, { login });
    const second = await applyRoles(address, { login });
    const ran = await migrateToLatest(address);

    expect(first.made).toEqual(['schema_owner', 'app', 'backup', 'verify']);
    expect([first, second]).toMatchObject([
      { backupReadsEverything: true },
      { made: [], backupReadsEverything: true },
    ]);
    expect(ran).not.toEqual([]);
    expect(await runStatements(urlOf(login), 'select from projects')).toEqual([]);
    expect(await act('verify', 'select from projects')).toEqual([]);
    expect(await act('backup', 'select from projects')).toEqual([]);
    await expect(act('none', 'select from projects')).rejects.toMatchObject(forbidden);
    // `crownsafe keys`, run by who deploys.
    await runStatements(urlOf('deployer'), 'delete from api_keys');
    await expect(runStatements(urlOf(login), 'drop table projects')).rejects.toMatchObject(forbidden);
  });

  it('who has come later is told what keeps the database from being migrated, and may be let in', async () => {
    const address = parseDatabaseUrl(urlOf('colleague'));

    await expect(migrateDown(address)).rejects.toThrow('schema_owner, which colleague may not act as');
    await expect(applyRoles(address, { login })).rejects.toThrow(
      /^colleague may not do all that is needed: permission denied .*Run this as who made the roles/,
    );
    await runStatements(urlOf('deployer'), 'grant schema_owner to colleague');

    expect(await migrateDown(address)).toHaveLength(1);
    expect(await migrateToLatest(address)).toHaveLength(1);
  });
});

describe('one who may only make roles', () => {
  let other: OwnPostgres;
  const urlIn = (database: string, user = 'deployer') => urlWith(other.url, { user, password, database });

  beforeAll(async () => {
    other = await startOwnPostgres();
    await runStatements(
      other.url,
      `create role deployer login createrole password '${password}'`,
      'create database modest owner deployer',
    );
  });
  afterAll(() => other.stop());

  it('is told whose the schema is, where it belongs to somebody else, and changes nothing', async () => {
    await runStatements(other.url, 'create role another login');

    const applying = applyRoles(parseDatabaseUrl(urlIn('crownsafe')), { login: 'another' });

    await expect(applying).rejects.toMatchObject({ name: 'RoleError' });
    await expect(applying).rejects.toThrow(
      /^The schema public belongs to \w+: run this as the owner of the database/,
    );
    expect(await runStatements(other.url, `select from pg_roles where rolname = 'schema_owner'`)).toEqual([]);
  });

  it('applies the roles to a database of its own, whose dumps then hold the schema, also what it gets later', async () => {
    const url = urlIn('modest');
    await runStatements(
      url,
      `create role "${login}" login password '${password}'`,
      'create table kept (id serial)',
    );

    const applied = await applyRoles(parseDatabaseUrl(url), { login });
    await migrateToLatest(parseDatabaseUrl(url));

    const backup = (statement: string) => runStatements(urlIn('modest', login), 'set role backup', statement);
    expect(applied).toMatchObject({ adopted: ['kept'], backupReadsEverything: false });
    expect(await backup('select from kept')).toEqual([]);
    expect(await backup('select from files')).toEqual([]);
    await expect(backup('delete from files')).rejects.toMatchObject(forbidden);
  });
});
