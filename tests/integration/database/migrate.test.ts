import { expect, inject, it } from 'vitest';
import {
  listMigrations,
  migrateDown,
  migrateToLatest,
  parseDatabaseUrl,
} from '../../../src/lib/database/index.ts';
import { createDatabase, dropDatabase } from '../../support/databases.ts';

it('migrates up once, also when two deployments come at the same time, down and up again', async () => {
  const url = await createDatabase(inject('databaseUrl'));
  const address = parseDatabaseUrl(url);
  try {
    const [first, second] = await Promise.all([migrateToLatest(address), migrateToLatest(address)]);
    const ran = (await listMigrations(address)).filter(({ executedAt }) => executedAt !== undefined);

    expect([...first, ...second].toSorted()).toEqual(ran.map(({ name }) => name));
    for (const { name } of ran.toReversed()) expect(await migrateDown(address)).toEqual([name]);
    expect(await migrateToLatest(address)).toEqual(ran.map(({ name }) => name));
  } finally {
    await dropDatabase(url);
  }
});
