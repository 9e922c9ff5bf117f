import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { type BlobStore, moveBlob } from '../../../src/lib/storage/index.ts';
import { memoryBlobStore } from '../../support/memory/memory-blob-store.ts';

const { signal } = new AbortController();
const write = (store: BlobStore, text: string) =>
  store.upload('a', Buffer.from(text), { contentType: 'text/plain', signal });
const read = async (store: BlobStore) =>
  (await buffer((await store.download('a', { signal })).body)).toString();

describe('moveBlob', () => {
  it('does not lose what is written between the copy and the deletion', async () => {
    const from = memoryBlobStore();
    const trash = memoryBlobStore('trash');
    await write(from, 'first');
    let copies = 0;
    const to: BlobStore = {
      ...trash,
      async copyFrom(...args) {
        const copied = await trash.copyFrom(...args);
        if (++copies === 1) await write(from, 'second');
        return copied;
      },
    };

    await moveBlob(from, to, 'a', { signal });

    expect(await read(trash)).toBe('second');
    expect(await from.exists('a', { signal })).toBe(false);
  });

  it('keeps the blob when the copy fails, and moves it when asked again', async () => {
    const from = memoryBlobStore();
    const trash = memoryBlobStore('trash');
    await write(from, 'bytes');
    const broken: BlobStore = { ...trash, copyFrom: () => Promise.reject(new Error('no room')) };

    await expect(moveBlob(from, broken, 'a', { signal })).rejects.toThrow('no room');
    const kept = await read(from);
    await moveBlob(from, trash, 'a', { signal });

    expect([kept, await read(trash)]).toEqual(['bytes', 'bytes']);
  });

  it('gives up on a blob that never stands still, without losing it', async () => {
    const from = memoryBlobStore();
    const trash = memoryBlobStore('trash');
    await write(from, '0');
    let copies = 0;
    const to: BlobStore = {
      ...trash,
      async copyFrom(...args) {
        const copied = await trash.copyFrom(...args);
        await write(from, `${++copies}`);
        return copied;
      },
    };

    await expect(moveBlob(from, to, 'a', { signal })).rejects.toMatchObject({ code: 'conflict' });

    expect(await read(from)).toBe(`${copies}`);
  });
});
