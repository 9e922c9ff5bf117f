import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { systemClock } from '../../../src/lib/core/index.ts';
import {
  type Database,
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
  );
});
afterAll(async () => {
  await database.close();
  await dropDatabase(url);
});

it.each<[string, Scope, string[], string[]]>([
  ['their own', 'files:read', [], ['mine', 'mine in theirs']],
  ['their own and those of their projects', 'files:read', [ours], ['mine', 'mine in theirs', 'ours']],
  ['all, as admins', 'admin', [], ['mine', 'mine in theirs', 'ours', 'theirs', 'yours']],
])('callers see %s', async (_, scope, projectIds, names) => {
  const caller = { id: 'me', scopes: new Set([scope]), projectIds };

  const files = await database.read('look', new AbortController().signal, (db) =>
    visibleFiles(db, caller).select('name').orderBy('name').execute(),
  );

  expect(files.map(({ name }) => name)).toEqual(names);
});
