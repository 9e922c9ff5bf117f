import { randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { BlobStore } from '../../../src/lib/storage/index.ts';
import { toArray } from '../to-array.ts';

const { signal } = new AbortController();
const image = { contentType: 'image/png', signal };

async function* slowly(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield chunk;
}

/** What is sent at once; more goes in blocks of this size. */
const blockBytes = 8 * 2 ** 20;
const names = [
  'a b.png',
  'ünïcode ✓.png',
  '100%.png',
  '%41.png',
  'a+b&c=d;e.png',
  "it's.png",
  'what?#.png',
  'a/b/c.png',
];

/** What every blob store does. `open` gives a container of that name, the same one every time. */
export function describeBlobStore(adapter: string, open: (container: string) => BlobStore): void {
  const store = open(`contract-${randomUUID()}`);
  const trash = open(`contract-trash-${randomUUID()}`);
  const newName = (folder = 'photos') => `${folder}/${randomUUID()}.png`;
  const readAll = async (name: string, options: object = {}) =>
    buffer((await store.download(name, { signal, ...options })).body);

  describe(`${adapter}: reading and writing`, () => {
    it('gives back what was stored', async () => {
      const name = newName();
      const bytes = randomBytes(1_000);

      const stored = await store.upload(name, bytes, {
        ...image,
        metadata: { file_id: 'f-1' },
        contentDisposition: 'attachment; filename="a.png"',
      });
      const { body, properties } = await store.download(name, { signal });

      expect((await buffer(body)).equals(bytes)).toBe(true);
      expect(properties).toEqual(stored);
      expect(properties).toMatchObject({
        name,
        sizeBytes: 1_000,
        contentType: 'image/png',
        contentDisposition: 'attachment; filename="a.png"',
        metadata: { file_id: 'f-1', upload_id: expect.any(String) },
      });
      expect(properties.etag).toMatch(/^".+"$/);
      expect(Math.abs(properties.lastModified - Date.now())).toBeLessThan(10_000);
      expect(await store.head(name, { signal })).toEqual(stored);
    });

    it.each([0, 1, 100_000, blockBytes - 1, blockBytes, blockBytes + 1])(
      'stores %i bytes, from memory and from a stream',
      async (sizeBytes) => {
        const [fromMemory, fromStream] = [newName(), newName()];
        const bytes = randomBytes(sizeBytes);

        const stored = [
          await store.upload(fromMemory, bytes, image),
          await store.upload(
            fromStream,
            Readable.from(slowly(bytes.subarray(0, 10), bytes.subarray(10))),
            image,
          ),
        ];

        expect(stored.map((properties) => properties.sizeBytes)).toEqual([sizeBytes, sizeBytes]);
        for (const name of [fromMemory, fromStream]) expect((await readAll(name)).equals(bytes)).toBe(true);
      },
    );

    it.each(names)('takes the name %s for what it is', async (unusual) => {
      const folder = randomUUID();
      const name = `${folder}/${unusual}`;

      const stored = await store.upload(name, Buffer.from('bytes'), image);
      const copied = await trash.copyFrom(store, name, { signal });

      expect([stored.name, copied.name]).toEqual([name, name]);
      expect((await readAll(name)).toString()).toBe('bytes');
      expect(await store.head(name, { signal })).toEqual(stored);
      expect(await toArray(store.list(`${folder}/`, { signal }))).toEqual([stored]);
      expect(await trash.exists(name, { signal })).toBe(true);
      expect(await store.delete(name, { signal })).toBe(true);
      expect(await store.exists(name, { signal })).toBe(false);
    });

    it('replaces a blob with all that was stored with it, under another etag', async () => {
      const name = newName();
      const first = await store.upload(name, Buffer.from('first'), {
        ...image,
        metadata: { file_id: 'f-1' },
        contentDisposition: 'inline',
      });

      const second = await store.upload(name, Buffer.from('second'), { ...image, contentType: 'text/plain' });

      expect(second.etag).not.toBe(first.etag);
      expect((await readAll(name)).toString()).toBe('second');
      expect(await store.head(name, { signal })).toEqual(second);
      expect(second).not.toHaveProperty('contentDisposition');
      expect(second).toMatchObject({
        contentType: 'text/plain',
        metadata: { upload_id: expect.any(String) },
      });
      expect(second.metadata).not.toHaveProperty('file_id');
      expect(second.metadata['upload_id']).not.toBe(first.metadata['upload_id']);
    });

    it('keeps what is there when only an absent name is wanted', async () => {
      const name = newName();
      await store.upload(name, Buffer.from('first'), { ...image, onlyIfAbsent: true });

      const second = store.upload(name, Buffer.from('second'), { ...image, onlyIfAbsent: true });

      await expect(second).rejects.toMatchObject({ name: 'AppError', code: 'conflict' });
      expect((await readAll(name)).toString()).toBe('first');
    });

    it('lets exactly one of many win an absent name', async () => {
      const name = newName();

      const results = await Promise.allSettled(
        Array.from({ length: 20 }, (_, i) =>
          store.upload(name, Buffer.from(`${i}`), { ...image, onlyIfAbsent: true }),
        ),
      );

      const winner = results.findIndex(({ status }) => status === 'fulfilled');
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect((await readAll(name)).toString()).toBe(`${winner}`);
    });

    it('knows nothing of a blob that is not there', async () => {
      const name = newName();

      expect(await store.head(name, { signal })).toBeUndefined();
      expect(await store.exists(name, { signal })).toBe(false);
      await expect(store.download(name, { signal })).rejects.toMatchObject({ code: 'not_found' });
    });
  });

  describe(`${adapter}: ranges and versions`, () => {
    it.each([
      [{ offset: 2, count: 3 }, 'cde'],
      [{ offset: 7 }, 'hij'],
      [{ offset: 8, count: 100 }, 'ij'],
    ])('reads the range %j', async (range, expected) => {
      const name = newName();
      await store.upload(name, Buffer.from('abcdefghij'), image);

      const { body, properties } = await store.download(name, { range, signal });

      expect((await buffer(body)).toString()).toBe(expected);
      expect(properties.sizeBytes).toBe(10);
    });

    it('refuses a range beyond the end', async () => {
      const name = newName();
      await store.upload(name, Buffer.from('abc'), image);

      const download = store.download(name, { range: { offset: 3 }, signal });

      await expect(download).rejects.toMatchObject({ code: 'range_not_satisfiable' });
    });

    it('refuses any range of an empty blob, and reads it whole', async () => {
      const name = newName();
      await store.upload(name, Buffer.alloc(0), image);

      const download = store.download(name, { range: { offset: 0 }, signal });

      await expect(download).rejects.toMatchObject({ code: 'range_not_satisfiable' });
      expect(await readAll(name)).toHaveLength(0);
    });

    it('reads a range of one version only', async () => {
      const name = newName();
      const range = { offset: 1, count: 2 };
      const { etag } = await store.upload(name, Buffer.from('first'), image);
      const before = (await readAll(name, { etag, range })).toString();
      await store.upload(name, Buffer.from('second'), image);

      const after = store.download(name, { etag, range, signal });

      expect(before).toBe('ir');
      await expect(after).rejects.toMatchObject({ code: 'conflict' });
    });

    it('reads one version only', async () => {
      const name = newName();
      const { etag } = await store.upload(name, Buffer.from('first'), image);
      const before = (await readAll(name, { etag })).toString();
      await store.upload(name, Buffer.from('second'), image);

      const after = store.download(name, { etag, signal });

      expect(before).toBe('first');
      await expect(after).rejects.toMatchObject({ code: 'conflict' });
    });
  });

  describe(`${adapter}: deleting, listing, moving`, () => {
    it('deletes once', async () => {
      const name = newName();
      await store.upload(name, Buffer.from('x'), image);

      expect(await store.delete(name, { signal })).toBe(true);
      expect(await store.delete(name, { signal })).toBe(false);
      expect(await store.exists(name, { signal })).toBe(false);
    });

    it('deletes only the version that is meant', async () => {
      const name = newName();
      const first = await store.upload(name, Buffer.from('first'), image);
      const second = await store.upload(name, Buffer.from('second'), image);

      expect(await store.delete(name, { ifMatch: first.etag, signal })).toBe(false);
      expect(await store.exists(name, { signal })).toBe(true);
      expect(await store.delete(name, { ifMatch: second.etag, signal })).toBe(true);
      expect(await store.delete(name, { ifMatch: second.etag, signal })).toBe(false);
    });

    it('lists what begins with a prefix, by name, with its properties', async () => {
      const folder = randomUUID();
      const stored = [];
      for (const name of ['b', 'a', 'c/d']) {
        stored.push(
          await store.upload(`${folder}/${name}`, Buffer.from(name), { ...image, metadata: { n: name } }),
        );
      }
      await store.upload(`${folder}-not`, Buffer.from('x'), image);

      const listed = await toArray(store.list(`${folder}/`, { signal }));

      expect(listed).toEqual([stored[1], stored[0], stored[2]]);
      expect(await toArray(store.list(randomUUID(), { signal }))).toEqual([]);
    });

    it('lists what was there, also when it is left before its end', async () => {
      const folder = randomUUID();
      for (const name of ['a', 'b']) await store.upload(`${folder}/${name}`, Buffer.from(name), image);

      for await (const { name } of store.list(`${folder}/`, { signal })) {
        expect(name).toBe(`${folder}/a`);
        break;
      }
    });

    it('copies a blob with its type and metadata, and tells what was copied', async () => {
      const name = newName();
      const source = await store.upload(name, Buffer.from('bytes'), {
        ...image,
        metadata: { file_id: 'f-2' },
        contentDisposition: 'inline',
      });

      const copied = await trash.copyFrom(store, name, { signal });

      const { etag: _, lastModified: __, ...stored } = source;
      expect(copied).toEqual(source);
      expect(await trash.head(name, { signal })).toMatchObject(stored);
      expect((await buffer((await trash.download(name, { signal })).body)).toString()).toBe('bytes');
    });

    it('copies over what is there', async () => {
      const name = newName();
      await store.upload(name, Buffer.from('first'), image);
      await trash.copyFrom(store, name, { signal });
      await store.upload(name, Buffer.from(''), image);

      await trash.copyFrom(store, name, { signal });

      expect(await buffer((await trash.download(name, { signal })).body)).toHaveLength(0);
    });

    it('does not copy what is nowhere', async () => {
      await expect(trash.copyFrom(store, newName(), { signal })).rejects.toMatchObject({
        code: 'not_found',
      });
    });
  });

  describe(`${adapter}: failure`, () => {
    it('passes on the error of a source, and shows no blob', async () => {
      const name = newName();
      const source = new Readable({ read() {} });
      source.push(Buffer.alloc(70_000));
      const upload = store.upload(name, source, image);

      source.destroy(new Error('the client has gone'));

      await expect(upload).rejects.toThrow('the client has gone');
      expect(await store.exists(name, { signal })).toBe(false);
    });

    it('notices a source that closes before its end', async () => {
      const name = newName();
      const source = new Readable({ read() {} });
      source.push(Buffer.alloc(10));
      const upload = store.upload(name, source, image);

      source.destroy();

      await expect(upload).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
      expect(await store.exists(name, { signal })).toBe(false);
    });

    it.each([10, blockBytes + 1])(
      'ends an upload with the reason of the abort after %i bytes, destroys the source, and shows no blob',
      async (sizeBytes) => {
        const name = newName();
        const abort = new AbortController();
        const source = new Readable({ read() {} });
        source.push(Buffer.alloc(sizeBytes));
        const upload = store.upload(name, source, { ...image, signal: abort.signal });

        abort.abort(new Error('enough'));

        await expect(upload).rejects.toThrow('enough');
        expect(source.destroyed).toBe(true);
        expect(await store.exists(name, { signal })).toBe(false);
      },
    );

    it('does nothing under a signal that has aborted', async () => {
      const aborted = { signal: AbortSignal.abort(new Error('over')) };
      const name = newName();

      await expect(store.upload(name, Buffer.from('x'), { ...image, ...aborted })).rejects.toThrow('over');
      await expect(store.download(name, aborted)).rejects.toThrow('over');
      await expect(store.head(name, aborted)).rejects.toThrow('over');
      await expect(store.delete(name, aborted)).rejects.toThrow('over');
      await expect(toArray(store.list('', aborted))).rejects.toThrow('over');
      await expect(trash.copyFrom(store, name, aborted)).rejects.toThrow('over');
      await expect(store.exists(name, aborted)).rejects.toThrow('over');
      await expect(store.sasUrl(name, { ...aborted, expiresAt: Date.now() })).rejects.toThrow('over');
      expect(await store.exists(name, { signal })).toBe(false);
    });

    it('destroys a body when the signal aborts, and ends no process when nobody reads it', async () => {
      const name = newName();
      await store.upload(name, randomBytes(2_000_000), image);
      const abort = new AbortController();
      const { body } = await store.download(name, { signal: abort.signal });

      abort.abort(new Error('enough'));

      await expect(buffer(body)).rejects.toThrow('enough');
      expect(body.destroyed).toBe(true);
    });

    it('gives no link that would outlive every key', async () => {
      const weekMs = 7 * 24 * 60 * 60_000;

      const link = store.sasUrl(newName(), { signal, expiresAt: Date.now() + weekMs });

      await expect(link).rejects.toThrow(RangeError);
    });

    it('names an address without a signature', () => {
      const url = store.url('a b/ü.png');

      expect(url).toMatch(/^https?:\/\/.+\/a%20b\/%C3%BC\.png$/);
    });
  });
}
