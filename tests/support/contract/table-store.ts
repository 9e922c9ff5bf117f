import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { TableStore } from '../../../src/lib/storage/index.ts';
import { toArray } from '../to-array.ts';

const { signal } = new AbortController();

/** What every table store does. */
export function describeTableStore(adapter: string, store: TableStore): void {
  const newKey = (rowKey = 'row') => ({ partitionKey: randomUUID(), rowKey });
  const rowKeys = async (query: Parameters<TableStore['query']>[0]) =>
    (await toArray(store.query(query, { signal }))).map(({ entity }) => entity.rowKey);

  describe(`${adapter}: rows`, () => {
    it('gives back every kind of value', async () => {
      const entity = {
        ...newKey(),
        text: "it's ünïcode ✓",
        empty: '',
        small: 42,
        epochMs: 1_767_225_600_123,
        negative: -2_147_483_649,
        fraction: 0.1,
        whole: 1.0,
        large: 9_007_199_254_740_993n,
        largest: 2n ** 63n - 1n,
        smallest: -(2n ** 63n),
        one: 1n,
        yes: true,
        no: false,
        at: new Date('2026-01-02T03:04:05.678Z'),
        long: new Date('1601-01-01T00:00:00.000Z'),
        bytes: new Uint8Array([0, 1, 255]),
      };

      await store.insert(entity, { signal });
      const found = await store.get(entity.partitionKey, entity.rowKey, { signal });

      expect(found?.etag).toBeTruthy();
      expect({ ...found?.entity, bytes: undefined }).toEqual({ ...entity, bytes: undefined });
      expect(Buffer.from(found?.entity['bytes'] as Uint8Array)).toEqual(Buffer.from(entity.bytes));
    });

    it('does not store a column that is undefined', async () => {
      const key = newKey();

      await store.insert({ ...key, nothing: undefined, something: 1 }, { signal });
      const found = await store.get(key.partitionKey, key.rowKey, { signal });

      expect(Object.keys(found?.entity ?? {}).sort()).toEqual(['partitionKey', 'rowKey', 'something']);
    });

    it('inserts a key once, whoever comes second', async () => {
      const key = newKey();

      const results = await Promise.all(
        Array.from({ length: 20 }, (_, writer) => store.insert({ ...key, writer }, { signal })),
      );

      expect(results.filter(Boolean)).toHaveLength(1);
      expect((await store.get(key.partitionKey, key.rowKey, { signal }))?.entity['writer']).toBe(
        results.indexOf(true),
      );
    });

    it('knows nothing of a row that is not there', async () => {
      const key = newKey();

      expect(await store.get(key.partitionKey, key.rowKey, { signal })).toBeUndefined();
      expect(await store.replace(key, { signal })).toBe(false);
      expect(await store.delete(key.partitionKey, key.rowKey, { signal })).toBe(false);
    });

    it('replaces the whole row', async () => {
      const key = newKey();
      await store.insert({ ...key, a: 1, b: 2 }, { signal });

      const replaced = await store.replace({ ...key, b: 3 }, { signal });
      const found = await store.get(key.partitionKey, key.rowKey, { signal });

      expect(replaced).toBe(true);
      expect(found?.entity).toEqual({ ...key, b: 3 });
    });

    it('lets exactly one of many replace the version they have all read', async () => {
      const key = newKey();
      await store.insert({ ...key, writer: -1 }, { signal });
      const ifMatch = (await store.get(key.partitionKey, key.rowKey, { signal }))?.etag ?? '';

      const results = await Promise.all(
        Array.from({ length: 20 }, (_, writer) => store.replace({ ...key, writer }, { signal, ifMatch })),
      );

      expect(results.filter(Boolean)).toHaveLength(1);
      expect((await store.get(key.partitionKey, key.rowKey, { signal }))?.entity['writer']).toBe(
        results.indexOf(true),
      );
    });

    it.each(["it's", 'a b', 'ünïcode ✓', '100%', '%41', 'a+b&c=d', '', '.'])(
      'takes the key "%s" for what it is',
      async (unusual) => {
        const key = { partitionKey: `${randomUUID()}${unusual}`, rowKey: unusual };

        const done = [
          await store.insert({ ...key, n: 1 }, { signal }),
          await store.insert({ ...key, n: 1 }, { signal }),
          await store.replace({ ...key, n: 2 }, { signal }),
        ];
        await store.upsert({ ...key, n: 3 }, { signal });

        expect(done).toEqual([true, false, true]);
        expect((await store.get(key.partitionKey, unusual, { signal }))?.entity).toEqual({ ...key, n: 3 });
        expect(await rowKeys({ partitionKey: key.partitionKey, rowKeyFrom: unusual })).toEqual([unusual]);
        expect(await store.delete(key.partitionKey, unusual, { signal })).toBe(true);
      },
    );

    it('upserts whether or not the row is there', async () => {
      const key = newKey();

      await store.upsert({ ...key, a: 1 }, { signal });
      await store.upsert({ ...key, b: 2 }, { signal });

      expect((await store.get(key.partitionKey, key.rowKey, { signal }))?.entity).toEqual({ ...key, b: 2 });
    });

    it('deletes once, and only the version that is meant', async () => {
      const key = newKey();
      await store.insert({ ...key, a: 1 }, { signal });
      const old = (await store.get(key.partitionKey, key.rowKey, { signal }))?.etag ?? '';
      await store.upsert({ ...key, a: 2 }, { signal });

      expect(await store.delete(key.partitionKey, key.rowKey, { signal, ifMatch: old })).toBe(false);
      expect(await store.delete(key.partitionKey, key.rowKey, { signal })).toBe(true);
      expect(await store.delete(key.partitionKey, key.rowKey, { signal })).toBe(false);
    });
  });

  describe(`${adapter}: queries`, () => {
    it('reads one partition by row key, within bounds and a limit', async () => {
      const { partitionKey } = newKey();
      for (const rowKey of ['c', 'a', 'd', 'b']) await store.insert({ partitionKey, rowKey }, { signal });
      await store.insert({ ...newKey('b') }, { signal });

      expect(await rowKeys({ partitionKey })).toEqual(['a', 'b', 'c', 'd']);
      expect(await rowKeys({ partitionKey, rowKeyFrom: 'b', rowKeyTo: 'c' })).toEqual(['b', 'c']);
      expect(await rowKeys({ partitionKey, rowKeyFrom: 'b', limit: 2 })).toEqual(['b', 'c']);
      expect(await rowKeys({ partitionKey, rowKeyTo: 'b' })).toEqual(['a', 'b']);
      expect(await rowKeys({ partitionKey, rowKeyFrom: 'c', rowKeyTo: 'b' })).toEqual([]);
      expect(await rowKeys({ partitionKey, limit: 9 })).toEqual(['a', 'b', 'c', 'd']);
      expect(await rowKeys({ partitionKey, limit: 0 })).toEqual([]);
      expect(await rowKeys({ partitionKey: randomUUID() })).toEqual([]);
    });

    it('takes a quote in a key for what it is', async () => {
      const partitionKey = `o'${randomUUID()}' or 'a' eq 'a`;
      await store.insert({ partitionKey, rowKey: "r'1" }, { signal });

      expect(await rowKeys({ partitionKey, rowKeyFrom: "r'" })).toEqual(["r'1"]);
      expect((await store.get(partitionKey, "r'1", { signal }))?.entity.rowKey).toBe("r'1");
      expect(await store.delete(partitionKey, "r'1", { signal })).toBe(true);
    });

    it('give each row with the version that it has', async () => {
      const key = newKey();
      await store.insert({ ...key, n: 1 }, { signal });

      const [row] = await toArray(store.query(key, { signal }));

      expect(row).toEqual(await store.get(key.partitionKey, key.rowKey, { signal }));
      expect(await store.replace({ ...key, n: 2 }, { signal, ifMatch: row?.etag ?? '' })).toBe(true);
    });

    it('may be left before its end', async () => {
      const { partitionKey } = newKey();
      for (const rowKey of ['a', 'b']) await store.insert({ partitionKey, rowKey }, { signal });

      for await (const { entity } of store.query({ partitionKey }, { signal })) {
        expect(entity.rowKey).toBe('a');
        break;
      }
    });
  });

  describe(`${adapter}: failure`, () => {
    it('refuses a text that is too long, and takes the longest', async () => {
      const key = newKey();

      await store.upsert({ ...key, text: 'x'.repeat(32_768) }, { signal });
      const tooLong = store.upsert({ ...key, text: 'x'.repeat(32_769) }, { signal });

      await expect(tooLong).rejects.toMatchObject({ name: 'AppError', code: 'upstream' });
    });

    it.each(['/', '\\', '#', '?'])('refuses a key with %s in it', async (refused) => {
      const key = newKey(`a${refused}b`);

      await expect(store.insert(key, { signal })).rejects.toMatchObject({
        name: 'AppError',
        code: 'upstream',
      });
    });

    it('refuses a number that no table keeps', async () => {
      await expect(store.insert({ ...newKey(), n: Number.NaN }, { signal })).rejects.toThrow(TypeError);
    });

    it('does nothing under a signal that has aborted', async () => {
      const key = newKey();
      const aborted = { signal: AbortSignal.abort(new Error('over')) };

      await expect(store.insert(key, aborted)).rejects.toThrow('over');
      await expect(store.replace(key, aborted)).rejects.toThrow('over');
      await expect(store.upsert(key, aborted)).rejects.toThrow('over');
      await expect(store.delete(key.partitionKey, key.rowKey, aborted)).rejects.toThrow('over');
      await expect(store.get(key.partitionKey, key.rowKey, aborted)).rejects.toThrow('over');
      await expect(toArray(store.query(key, aborted))).rejects.toThrow('over');
      expect(await store.get(key.partitionKey, key.rowKey, { signal })).toBeUndefined();
    });
  });
}
