import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { BlobServiceClient } from '@azure/storage-blob';
import { describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../../src/lib/core/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { copyBlob } from '../../../src/lib/storage/blob-copy.ts';
import { createCalls } from '../../../src/lib/storage/calls.ts';
import { toArray } from '../../support/to-array.ts';
import { openStorage } from './open-storage.ts';

const { signal } = new AbortController();
const image = { contentType: 'image/png', signal };
const openService = () => BlobServiceClient.fromConnectionString(inject('storageConnectionString'));

describe('links', () => {
  it('read with no other credential, until they end, and only their own blob', async () => {
    const store = openStorage().storage.blobs(`links-${randomUUID()}`);
    await store.upload('a/b.png', Buffer.from('bytes'), image);
    await store.upload('other', Buffer.from('other'), image);
    const now = Date.now();

    const link = await store.sasUrl('a/b.png', { expiresAt: now + 60_000, signal });
    const expired = await store.sasUrl('a/b.png', { expiresAt: now - 60_000, signal });
    const early = await store.sasUrl('a/b.png', { startsAt: now + 60_000, expiresAt: now + 120_000, signal });
    const answers = await Promise.all(
      [link, expired, early, link.replace('a/b.png', 'other'), store.url('a/b.png')].map((url) => fetch(url)),
    );

    expect(answers.map(({ status }) => status)).toEqual([200, 403, 403, 403, 403]);
    expect(await answers[0]?.text()).toBe('bytes');
    expect((await fetch(link, { method: 'DELETE' })).status).toBe(403);
    expect(
      (await fetch(link, { method: 'PUT', body: 'x', headers: { 'x-ms-blob-type': 'BlockBlob' } })).status,
    ).toBe(403);
  });

  it('override the headers of the answer', async () => {
    const store = openStorage().storage.blobs(`links-${randomUUID()}`);
    await store.upload('a', Buffer.from('bytes'), image);

    const link = await store.sasUrl('a', {
      expiresAt: Date.now() + 60_000,
      contentDisposition: 'attachment; filename="a b.png"',
      contentType: 'text/plain',
      signal,
    });
    const { headers } = await fetch(link);

    expect(headers.get('content-disposition')).toBe('attachment; filename="a b.png"');
    expect(headers.get('content-type')).toBe('text/plain');
  });
});

describe('large blobs', () => {
  it('arrive in blocks as they were sent', async () => {
    const store = openStorage().storage.blobs(`large-${randomUUID()}`);
    const piece = randomBytes(1_000_003);
    const pieces = function* () {
      for (let i = 0; i < 30; i++) yield piece;
    };
    const digest = createHash('sha256');
    for (const part of pieces()) digest.update(part);

    const stored = await store.upload('a', Readable.from(pieces()), image);
    const read = createHash('sha256');
    for await (const chunk of (await store.download('a', { signal })).body) read.update(chunk);

    expect(stored.sizeBytes).toBe(30 * piece.length);
    expect(read.digest('hex')).toBe(digest.digest('hex'));
    expect(await store.head('a', { signal })).toEqual(stored);
  });

  it('lets one of two uploads win an absent name, and keeps its bytes whole', async () => {
    const store = openStorage().storage.blobs(`large-${randomUUID()}`);
    const upload = (byte: string) =>
      store.upload('a', Readable.from([Buffer.alloc(9 * 2 ** 20, byte)]), { ...image, onlyIfAbsent: true });

    const results = await Promise.allSettled([upload('x'), upload('y')]);

    const winner = results[0]?.status === 'fulfilled' ? 'x' : 'y';
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'conflict' },
    });
    const { body } = await store.download('a', { signal });
    expect((await buffer(body)).equals(Buffer.alloc(9 * 2 ** 20, winner))).toBe(true);
  });

  it('are copied in pieces beyond what the service copies at once', async () => {
    const { storage } = openStorage();
    const source = storage.blobs(`large-${randomUUID()}`);
    const targetName = `large-${randomUUID()}`;
    const bytes = randomBytes(25_000);
    const metadata = { file_id: 'f-3' };
    await source.upload('a', bytes, { ...image, metadata, contentDisposition: 'inline' });
    const container = openService().getContainerClient(targetName);
    const call = createCalls({
      clock: systemClock,
      resilience: createResilience({ clock: systemClock }),
      dependency: 'blob',
      name: targetName,
      create: (abortSignal) => container.createIfNotExists({ abortSignal }),
    });

    await copyBlob(call, container.getBlockBlobClient('a'), source, 'a', {
      clock: systemClock,
      signal,
      pieceBytes: 10_000,
    });

    const { body, properties } = await storage.blobs(targetName).download('a', { signal });
    expect((await buffer(body)).equals(bytes)).toBe(true);
    expect(properties).toMatchObject({ contentType: 'image/png', contentDisposition: 'inline', metadata });
  });
});

describe('an account', () => {
  it('answers a ping, also before its containers are made', async () => {
    await expect(openStorage().storage.ping(`none-${randomUUID()}`, signal)).resolves.toBeUndefined();
  });

  it('recovers when a container was deleted behind our back', async () => {
    const name = `gone-${randomUUID()}`;
    const store = openStorage().storage.blobs(name);
    await store.upload('a', Buffer.from('first'), image);
    await openService().deleteContainer(name);

    const head = await store.head('a', { signal });
    const listed = await toArray(store.list('', { signal }));
    await store.upload('a', Buffer.from('second'), image);

    expect([head, listed]).toEqual([undefined, []]);
    expect((await buffer((await store.download('a', { signal })).body)).toString()).toBe('second');
  });

  it('reads a list that takes several answers', async () => {
    const { storage } = openStorage();
    const table = storage.table(`t${randomUUID().replaceAll('-', '')}`);
    const rowKeys = Array.from({ length: 1_100 }, (_, i) => String(i).padStart(5, '0'));
    for (let at = 0; at < rowKeys.length; at += 50) {
      await Promise.all(
        rowKeys.slice(at, at + 50).map((rowKey) => table.insert({ partitionKey: 'p', rowKey }, { signal })),
      );
    }

    const all = await toArray(table.query({ partitionKey: 'p' }, { signal }));
    const some = await toArray(table.query({ partitionKey: 'p', limit: 1_050 }, { signal }));

    expect(all.map(({ entity }) => entity.rowKey)).toEqual(rowKeys);
    expect(some).toHaveLength(1_050);
  });
});
