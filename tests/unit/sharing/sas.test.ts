import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../src/lib/database/index.ts';
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
  const trail: { readonly entries: AuditEntry[]; failure?: Error } = { entries: [] };
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
    findLinkable: async () => () => ({ blobName: `${fileId}.png`, ownerId: 'owner' }),
    async noteAudit(entries) {
      if (trail.failure) throw trail.failure;
      trail.entries.push(...entries);
    },
  });
  const ask = () => links.issue(caller, { file_id: fileId }, new AbortController().signal);
  const askForTwo = () =>
    links.issueBatch(caller, [{ file_id: fileId }, { file_id: 'nonsense' }], new AbortController().signal);
  return { clock, ask, askForTwo, trail };
}

const issued = {
  action: 'link.issue',
  object: { type: 'file', id: fileId },
  subjectId: 'owner',
  after: { expires_at: '2026-01-02T00:00:00.000Z' },
};

describe('giving out links', () => {
  it('is recorded each time, also when the link is an old one', async () => {
    const { ask, trail } = setUp();

    await ask();
    await ask();

    expect(trail.entries).toEqual([issued, issued]);
  });

  it('is recorded for those of several that were given out', async () => {
    const { askForTwo, trail } = setUp();

    const { results } = await askForTwo();

    expect(results).toMatchObject([{ url: expect.any(String) }, { problem: { code: 'validation_failed' } }]);
    expect(trail.entries).toEqual([issued]);
  });

  it('is refused when it cannot be recorded', async () => {
    const { ask, askForTwo, trail } = setUp();
    trail.failure = new Error('no trail today');

    await expect(ask()).rejects.toThrow('no trail today');
    await expect(askForTwo()).rejects.toThrow('no trail today');
  });
});

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
