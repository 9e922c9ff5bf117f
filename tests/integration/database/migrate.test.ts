import { expect, inject, it } from 'vitest';
import { listMigrations, migrateDown, migrateToLatest } from '../../../src/lib/database/index.ts';
import { createDatabase, dropDatabase } from '../../support/databases.ts';

it('migrates up once, also when two deployments come at the same time, down and up again', async () => {
  const url = await createDatabase(inject('databaseUrl'));
  try {
    const [first, second] = await Promise.all([migrateToLatest(url), migrateToLatest(url)]);
    const ran = (await listMigrations(url)).filter(({ executedAt }) => executedAt !== undefined);

    expect([...first, ...second].toSorted()).toEqual(ran.map(({ name }) => name));
    for (const { name } of ran.toReversed()) expect(await migrateDown(url)).toEqual([name]);
    expect(await migrateToLatest(url)).toEqual(ran.map(({ name }) => name));
  } finally {
    await dropDatabase(url);
  }
});
