import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { systemClock } from '../../../src/lib/core/index.ts';
import {
  type Database,
  maySeeFile,
  mayUseProject,
  migrateToLatest,
  parseDatabaseUrl,
  visibleFiles,
} from '../../../src/lib/database/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import type { Scope } from '../../../src/lib/security/index.ts';
import { createDatabase, dropDatabase, openDatabase } from '../../support/databases.ts';
import { runStatements } from '../../support/own-postgres.ts';

let url: string;
let database: Database;
const [ours, theirs] = [crypto.randomUUID(), crypto.randomUUID()];

beforeAll(async () => {
  url = await createDatabase(inject('databaseUrl'));
  await migrateToLatest(parseDatabaseUrl(url));
  database = openDatabase(url, createResilience({ clock: systemClock }));
  await runStatements(
    url,
    `insert into projects (id, name) values ('${ours}', 'ours'), ('${theirs}', 'theirs')`,
    `insert into files (id, name, content_type, size, sha256, status, owner_id, project_id, container, blob_name, created_at)
     select gen_random_uuid(), name, 'image/png', 1, repeat('0', 64), 'available', owner, project::uuid, 'c', name, now()
     from (values ('mine', 'me', null), ('mine in theirs', 'me', '${theirs}'), ('ours', 'you', '${ours}'),
                  ('theirs', 'you', '${theirs}'), ('yours', 'you', null)) as files (name, owner, project)`,
    `insert into files (id, name, content_type, size, sha256, status, owner_id, project_id, container, blob_name, created_at, deleted_at)
     select gen_random_uuid(), 'deleted ' || name, content_type, size, sha256, 'deleted', owner_id, project_id, container, blob_name,
       now(), now() from files`,
  );
});
afterAll(async () => {
  await database.close();
  await dropDatabase(url);
});

const { signal } = new AbortController();
const deleted = ['deleted mine', 'deleted mine in theirs', 'deleted ours', 'deleted theirs', 'deleted yours'];

it.each<[string, Scope, string[], string[]]>([
  ['their own', 'files:read', [], ['mine', 'mine in theirs']],
  ['their own and those of their projects', 'files:read', [ours], ['mine', 'mine in theirs', 'ours']],
  [
    'all, deleted ones as well, as admins',
    'admin',
    [],
    [...deleted, 'mine', 'mine in theirs', 'ours', 'theirs', 'yours'],
  ],
])('callers see %s, in lists as one by one', async (_, scope, projectIds, names) => {
  const caller = { id: 'me', scopes: new Set([scope]), projectIds };

  const { listed, all } = await database.read('look', signal, async (db) => ({
    listed: await visibleFiles(db, caller).select('name').orderBy('name').execute(),
    all: await db.selectFrom('files').selectAll().orderBy('name').execute(),
  }));

  expect(listed.map(({ name }) => name)).toEqual(names);
  expect(all.filter((file) => maySeeFile(caller, file)).map(({ name }) => name)).toEqual(names);
});

it('callers use the projects they are in, and admins all', () => {
  const member = { id: 'me', scopes: new Set(['files:write'] as const), projectIds: [ours] };
  const admin = { id: 'root', scopes: new Set(['admin'] as const), projectIds: [] };

  expect([ours, theirs].map((id) => mayUseProject(member, id))).toEqual([true, false]);
  expect([ours, theirs].map((id) => mayUseProject(admin, id))).toEqual([true, true]);
});
