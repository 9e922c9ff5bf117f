import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../../src/lib/core/index.ts';
import { type Database, type Expression, sql } from '../../../src/lib/database/index.ts';
import { openRowReader, type RowReader } from '../../../src/lib/reports/row-reader.ts';
import type { Row } from '../../../src/lib/reports/rows.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { openDatabase } from '../../support/databases.ts';

let database: Database;

beforeAll(() => {
  const url = inject('databaseUrl');
  database = openDatabase(url, createResilience({ clock: systemClock }));
});
afterAll(() => database.close());

async function withReader<T>(
  query: Expression<Row>,
  work: (reader: RowReader, controller: AbortController) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  await using snapshot = await database.openSnapshot(controller.signal);
  const reader = await openRowReader(snapshot.db, {
    query,
    orderBy: ['n'],
    signal: controller.signal,
    statementTimeoutMs: 200,
  });
  return await work(reader, controller);
}

const numbers = (count: number) => sql<Row>`(select n from generate_series(${count}::int, 1, -1) as n)`;

describe('a row reader', () => {
  it.each([0, 1, 999, 1_000, 1_001, 2_500])('reads %i rows in order, in batches', async (count) => {
    const sizes: number[] = [];
    const read: unknown[] = [];

    await withReader(numbers(count), async (reader) => {
      for await (const batch of reader.batches()) {
        sizes.push(batch.length);
        read.push(...batch.map((row) => row['n']));
      }
    });

    expect(read).toEqual(Array.from({ length: count }, (_, index) => index + 1));
    expect(Math.max(0, ...sizes)).toBeLessThanOrEqual(1_000);
    expect(sizes).not.toContain(0);
  });

  it('tells whether there are more rows than a number', async () => {
    const answers = await withReader(numbers(5), async (reader) => [
      await reader.hasMoreThan(4),
      await reader.hasMoreThan(5),
      await reader.hasMoreThan(6),
    ]);

    expect(answers).toEqual([true, false, false]);
  });

  it('tells what PostgreSQL expects without reading', async () => {
    const slow = sql<Row>`(select n, pg_sleep(10) from generate_series(1, 123) as n)`;

    expect(await withReader(slow, (reader) => reader.estimate())).toBe(123);
  });

  it('lets the server give up a statement that takes too long', async () => {
    const slow = sql<Row>`(select n from generate_series(1, 2) as n, pg_sleep(10))`;

    await expect(withReader(slow, (reader) => reader.hasMoreThan(1))).rejects.toMatchObject({
      code: 'deadline_exceeded',
    });
  });

  it('fails with the reason of the abort', async () => {
    const slow = sql<Row>`(select n from generate_series(1, 2) as n, pg_sleep(10))`;

    const aborted = withReader(slow, async (reader, controller) => {
      const counting = reader.hasMoreThan(1);
      controller.abort(new Error('gone'));
      return await counting;
    });

    await expect(aborted).rejects.toThrow('gone');
  });

  it('blames the server when the connection breaks', async () => {
    const terminating = sql<Row>`(select 1 as n from pg_terminate_backend(pg_backend_pid()))`;

    await expect(withReader(terminating, (reader) => reader.hasMoreThan(1))).rejects.toMatchObject({
      name: 'AppError',
      status: expect.toSatisfy((status: number) => status >= 500),
    });
  });
});
