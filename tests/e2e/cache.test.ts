import { describe, expect, it } from 'vitest';
import type * as z from 'zod';
import type { cacheStatisticsShape } from '../../src/lib/cache/index.ts';
import { apiWith, bodyOf, expectProblem, inDatabase, json, newCaller } from '../support/api.ts';
import { uploaded } from '../support/uploads.ts';

type Statistics = z.infer<typeof cacheStatisticsShape>;

const path = '/api/v1/monitoring/azure-cache-stats';

async function regionOf(api: Awaited<ReturnType<typeof newCaller>>, name: string) {
  const { regions } = await bodyOf<Statistics>(api(path));
  return regions.find((region) => region.name === name);
}

describe('the statistics of the caches', () => {
  it('tell of links that are given out again', async () => {
    const api = await newCaller('files:write', 'files:share', 'monitoring:read');
    const { id } = await uploaded(api);
    const ask = () => bodyOf<{ cached: boolean }>(api('/api/v1/sas', json({ file_id: id })));
    const first = await ask();
    const before = await regionOf(api, 'plain-links');

    const again = [await ask(), await ask()];

    const after = await regionOf(api, 'plain-links');
    expect([first, ...again].map(({ cached }) => cached)).toEqual([false, true, true]);
    expect(before).toMatchObject({ shared: false, table_hits: 0, stale_served: 0 });
    expect((after?.hits ?? 0) - (before?.hits ?? 0)).toBeGreaterThanOrEqual(2);
    expect(after?.entries).toBeGreaterThanOrEqual(1);
    expect(after?.size_bytes).toBeGreaterThan(400);
    expect(after?.hit_rate).toBeGreaterThan(0);
    const whole = await bodyOf<Statistics>(api(path));
    expect(whole).toMatchObject({ instance: expect.stringMatching(/^[0-9a-f]{8}$/), window_seconds: 900 });
    expect(whole.recent.lookups).toBeGreaterThan(0);
  });

  it('are for those who may watch', async () => {
    await expectProblem(await apiWith()(path), 401, 'unauthorized');
    await expectProblem(await (await newCaller('files:read'))(path), 403, 'forbidden');
  });

  it('are series, as is how much is stored', async () => {
    const api = await newCaller('files:write', 'files:share');
    const { id } = await uploaded(api);
    await api('/api/v1/sas', json({ file_id: id }));
    const scrape = async () => (await apiWith()('/metrics')).text();

    await expect
      .poll(scrape, { timeout: 10_000 })
      .toMatch(/^azure_blob_storage_bytes\{instance="\w+"\} [1-9]\d*/m);

    const text = await scrape();
    expect(text).toMatch(/^cache_hits_total\{region="plain-links",instance="\w+"\} \d+/m);
    expect(text).toMatch(/^cache_misses_total\{region="plain-links",instance="\w+"\} [1-9]/m);
    expect(text).toMatch(/^cache_size_bytes\{region="plain-links",instance="\w+"\} [1-9]/m);
    const [, bytes] = /^azure_blob_storage_bytes\S+ (\d+)/m.exec(text) ?? [];
    const { rows } = await inDatabase((db) => db.query<{ sum: string }>('select sum(size) from files'));
    expect(Number(bytes)).toBeLessThanOrEqual(Number(rows[0]?.sum));
  });
});
