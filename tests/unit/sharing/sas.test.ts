import { describe, expect, it } from 'vitest';
import type { Caller } from '../../../src/lib/security/index.ts';
import { createSasLinks } from '../../../src/lib/sharing/index.ts';
import type { BlobStore } from '../../../src/lib/storage/index.ts';
import { cachesOn } from '../../support/caches.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const caller: Caller = { id: 'key:a', scopes: new Set(), projectIds: [] };
const fileId = '11111111-1111-4111-8111-111111111111';
const hourMs = 3_600_000;

function setUp() {
  const clock = fakeClock();
  let signed = 0;
  const blobs = {
    async sasUrl() {
      signed += 1;
      return `https://storage.example/blob?sig=${signed}`;
    },
  } as unknown as BlobStore;
  const links = createSasLinks({
    clock,
    caches: cachesOn(clock).caches,
    blobs,
    findLinkable: async () => () => ({ blobName: `${fileId}.png` }),
  });
  const ask = () => links.issue(caller, { file_id: fileId }, new AbortController().signal);
  return { clock, ask };
}

describe('plain links', () => {
  it('are given out again for 23 hours, so that each lives an hour at least', async () => {
    const { clock, ask } = setUp();

    const first = await ask();
    await clock.advance(23 * hourMs - 1000);
    const late = await ask();
    await clock.advance(2_000);
    const fresh = await ask();

    expect(late).toEqual({ ...first, cached: true });
    expect(Date.parse(late.expires_at) - clock.now()).toBeGreaterThan(hourMs - 2_000);
    expect(fresh.cached).toBe(false);
    expect(fresh.url).not.toBe(first.url);
  });
});
