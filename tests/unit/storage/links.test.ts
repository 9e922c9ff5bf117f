import { describe, expect, it } from 'vitest';
import type { StorageConnection } from '../../../src/lib/config/index.ts';
import { systemClock } from '../../../src/lib/core/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { createAzureIdentity } from '../../../src/lib/security/index.ts';
import { createStorage } from '../../../src/lib/storage/index.ts';

const { signal } = new AbortController();
const accountKey = Buffer.from('not a real key').toString('base64');
const expiresAt = Date.parse('2026-02-03T04:05:06Z');

const byKey: StorageConnection = { kind: 'account-key', account: 'crown', accountKey };

function openCloud(connection = byKey) {
  const clock = systemClock;
  return createStorage({
    connection,
    identity: createAzureIdentity(undefined),
    resilience: createResilience({ clock }),
    clock,
    correlationId: () => 'corr-1',
  });
}

describe('a link into the cloud', () => {
  it('is for reading one blob, over https, until its end, and for everyone who has it', async () => {
    const url = new URL(await openCloud().blobs('photos').sasUrl('a b/c.png', { expiresAt, signal }));

    expect(url.origin + url.pathname).toBe('https://crown.blob.core.windows.net/photos/a%20b/c.png');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      sv: expect.any(String),
      sr: 'b',
      sp: 'r',
      spr: 'https',
      se: '2026-02-03T04:05:06Z',
      sig: expect.any(String),
    });
  });

  it('may be for one address', async () => {
    const link = await openCloud().blobs('photos').sasUrl('a', { expiresAt, ip: '10.0.0.1', signal });

    expect(new URL(link).searchParams.get('sip')).toBe('10.0.0.1');
  });

  it('carries what it is asked to carry', async () => {
    const url = new URL(
      await openCloud()
        .blobs('photos')
        .sasUrl('a', {
          expiresAt,
          startsAt: expiresAt - 60_000,
          ip: '10.0.0.1-10.0.0.9',
          contentDisposition: 'attachment; filename="a.png"',
          contentType: 'image/png',
          signal,
        }),
    );

    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      st: '2026-02-03T04:04:06Z',
      sip: '10.0.0.1-10.0.0.9',
      rscd: 'attachment; filename="a.png"',
      rsct: 'image/png',
    });
  });
});

describe('createStorage', () => {
  it.each<['account-key' | 'identity', StorageConnection]>([
    ['account-key', byKey],
    ['identity', { kind: 'identity', account: 'crown' }],
  ])('tells that links are signed by %s', (credentials, connection) => {
    expect(openCloud(connection).credentials).toBe(credentials);
  });

  it('knows neither tables nor queues of an account that is used for blobs only', () => {
    const storage = openCloud({ kind: 'identity', account: { blob: 'https://crown.blob.core.windows.net' } });

    expect(() => storage.table('t')).toThrow('blobs only');
    expect(() => storage.queue('q')).toThrow('blobs only');
    expect(storage.blobs('a').url('b')).toBe('https://crown.blob.core.windows.net/a/b');
  });

  it('gives the same store for the same name, so that all share what it knows', () => {
    const storage = openCloud();

    expect(storage.blobs('a')).toBe(storage.blobs('a'));
    expect(storage.blobs('a')).not.toBe(storage.blobs('a', 'backup-blob'));
    expect(storage.blobs('a')).not.toBe(storage.blobs('b'));
    expect(storage.table('t')).toBe(storage.table('t'));
    expect(storage.queue('q')).toBe(storage.queue('q'));
  });
});
