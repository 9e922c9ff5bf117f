import { randomUUID } from 'node:crypto';
import { BlobServiceClient } from '@azure/storage-blob';
import { describe, expect, inject, it } from 'vitest';
import {
  adminApi,
  afterMaintenance,
  apiWith,
  bodyOf,
  expectProblem,
  inDatabase,
  newCaller,
} from '../support/api.ts';
import { type FileJson, pngBytes, uploaded } from '../support/uploads.ts';

interface Page {
  readonly data: readonly FileJson[];
  readonly next_cursor: string | null;
}

describe('who may see a file', () => {
  it('answers 404 to strangers, 403 without the scope, 401 without a credential', async () => {
    const owner = await newCaller('files:write', 'files:read');
    const stranger = await newCaller('files:write', 'files:read');
    const unscoped = await newCaller('reports:read');
    const { id } = await uploaded(owner);

    await expectProblem(await stranger(`/api/v1/files/${id}`), 404, 'not_found');
    await expectProblem(await stranger(`/api/v1/files/${id}/content`), 404, 'not_found');
    await expectProblem(await stranger(`/api/v1/files/${id}`, { method: 'DELETE' }), 404, 'not_found');
    await expectProblem(await unscoped(`/api/v1/files/${id}`), 403, 'forbidden');
    const nobody = await apiWith()(`/api/v1/files/${id}`);
    expect(nobody.headers.get('www-authenticate')).toBeTruthy();
    await expectProblem(nobody, 401, 'unauthorized');
    expect((await adminApi()(`/api/v1/files/${id}`)).status).toBe(200);
  });

  it.each(['csk_aaaaaaaaaaaaaaaa_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'nonsense', 'csk__'])(
    'refuses the credential %s',
    async (key) => {
      await expectProblem(await apiWith(key)('/api/v1/files'), 401, 'unauthorized');
    },
  );

  it('refuses a malformed or unknown id', async () => {
    const api = await newCaller('files:read');

    await expectProblem(await api('/api/v1/files/not-an-id'), 404, 'not_found');
    await expectProblem(await api(`/api/v1/files/${randomUUID().toUpperCase()}`), 404, 'not_found');
    await expectProblem(await api(`/api/v1/files/${randomUUID()}`), 404, 'not_found');
    await expectProblem(await api('/api/v1/files/%E0%A4%A'), 404, 'not_found');
    await expectProblem(await api('/api/v1/files/..%2f..%2fetc'), 404, 'not_found');
  });
});

describe('listing files', () => {
  it('pages by number and by cursor, and shows each file once', async () => {
    const api = await newCaller('files:write', 'files:read');
    const ids: string[] = [];
    for (let made = 0; made < 5; made += 1) ids.push((await uploaded(api)).id);

    const first = await bodyOf<Page>(api('/api/v1/files?per_page=2'));
    const second = await bodyOf<Page>(api(`/api/v1/files?per_page=2&cursor=${first.next_cursor}`));
    const third = await bodyOf<Page>(api(`/api/v1/files?per_page=2&cursor=${second.next_cursor}`));
    const beyond = await bodyOf<Page>(api('/api/v1/files?per_page=2&page=9'));

    expect(first).toMatchObject({ total: 5, page: 1, per_page: 2 });
    expect(second).not.toHaveProperty('total');
    expect(third.next_cursor).toBeNull();
    const seen = [first, second, third].flatMap((page) => page.data.map((file) => file.id));
    expect(seen.toSorted()).toEqual(ids.toSorted());
    expect(beyond).toMatchObject({ data: [], total: 5, page: 9, next_cursor: null });
  });

  it('filters and sorts', async () => {
    const api = await newCaller('files:write', 'files:read');
    await uploaded(api, pngBytes(300), { name: 'b.png' });
    await uploaded(api, pngBytes(200), { name: 'a.png' });
    await uploaded(api, pngBytes(100), { name: 'ab.png' });
    const names = async (query: string) =>
      (await bodyOf<Page>(api(`/api/v1/files?${query}`))).data.map(({ name }) => name);

    expect(await names('sort=name')).toEqual(['a.png', 'ab.png', 'b.png']);
    expect(await names('sort=size')).toEqual(['ab.png', 'a.png', 'b.png']);
    expect(await names('')).toEqual(['ab.png', 'a.png', 'b.png']);
    expect(await names('prefix=a&sort=-name')).toEqual(['ab.png', 'a.png']);
    expect(await names('content_type=image/gif')).toEqual([]);
    expect(await names('created_after=2999-01-01')).toEqual([]);
    expect(await names('created_before=2999-01-01T00:00:00Z&sort=name')).toHaveLength(3);
  });

  it.each([
    ['page=0', 'validation_failed'],
    ['page=x', 'validation_failed'],
    ['page=0x1', 'validation_failed'],
    ['prefix=%00', 'validation_failed'],
    ['created_after=0000-01-01', 'validation_failed'],
    ['per_page=201', 'validation_failed'],
    ['cursor=abc', 'validation_failed'],
    ['page=1&cursor=abc', 'validation_failed'],
    ['page=1&page=2', 'validation_failed'],
    ['sort=owner', 'validation_failed'],
    ['created_after=yesterday', 'validation_failed'],
    ['unknown=1', 'validation_failed'],
    ['page=201&per_page=50', 'use_cursor'],
  ])('refuses ?%s', async (query, code) => {
    const api = await newCaller('files:read');

    await expectProblem(await api(`/api/v1/files?${query}`), 422, code);
  });

  it('pages past the longest name there is', async () => {
    const api = await newCaller('files:write', 'files:read');
    for (const letter of ['a', 'b'])
      await uploaded(api, pngBytes(), { name: `${letter}${'🦺'.repeat(250)}.png` });

    const first = await bodyOf<Page>(api('/api/v1/files?per_page=1&sort=name'));
    const second = await bodyOf<Page>(api(`/api/v1/files?per_page=1&sort=name&cursor=${first.next_cursor}`));

    expect(second.data[0]?.name.startsWith('b🦺')).toBe(true);
  });

  it('refuses a cursor of another list', async () => {
    const api = await newCaller('files:write', 'files:read');
    for (let made = 0; made < 2; made += 1) await uploaded(api);
    const { next_cursor } = await bodyOf<Page>(api('/api/v1/files?per_page=1'));

    await expectProblem(
      await api(`/api/v1/files?per_page=1&sort=name&cursor=${next_cursor}`),
      422,
      'validation_failed',
    );
  });
});

describe('downloading a file', () => {
  it('answers the whole, a range, and 304 for what the client has', async () => {
    const api = await newCaller('files:write', 'files:read');
    const bytes = pngBytes(5_000);
    const { id, sha256 } = await uploaded(api, bytes, { name: 'żółw "1".png' });
    const get = (headers: Record<string, string> = {}, query = '') =>
      api(`/api/v1/files/${id}/content${query}`, { headers });

    const whole = await get();
    const part = await get({ range: 'bytes=10-19' });
    const suffix = await get({ range: 'bytes=-5' });
    const open = await get({ range: 'bytes=4990-' });
    const has = await get({ 'if-none-match': `"sha256-${sha256}"`, range: 'bytes=0-1' });
    const stale = await get({ 'if-range': '"other"', range: 'bytes=0-1' });
    const several = await get({ range: 'bytes=0-1,3-4' });
    const attachment = await get({}, '?download=1');

    expect(whole.status).toBe(200);
    expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true);
    expect(whole.headers.get('etag')).toBe(`"sha256-${sha256}"`);
    expect(whole.headers.get('cache-control')).toBe('private, no-cache');
    expect(whole.headers.get('content-security-policy')).toBe("sandbox; default-src 'none'");
    expect(whole.headers.get('content-disposition')).toMatch(
      /^inline; filename="\?\?\?w \\"1\\".png"; filename\*=UTF-8''/,
    );
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 10-19/5000']);
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(10, 20))).toBe(true);
    expect(Buffer.from(await suffix.arrayBuffer()).equals(bytes.subarray(-5))).toBe(true);
    expect(Buffer.from(await open.arrayBuffer()).equals(bytes.subarray(4990))).toBe(true);
    expect([has.status, await has.text()]).toEqual([304, '']);
    expect([stale.status, several.status]).toEqual([200, 200]);
    expect(attachment.headers.get('content-disposition')).toMatch(/^attachment;/);
    await Promise.all([stale, several, attachment].map((response) => response.arrayBuffer()));
  });

  it('answers 416 with the size', async () => {
    const api = await newCaller('files:write', 'files:read');
    const { id } = await uploaded(api, pngBytes(100));

    const response = await api(`/api/v1/files/${id}/content`, { headers: { range: 'bytes=100-' } });

    expect(response.headers.get('content-range')).toBe('bytes */100');
    await expectProblem(response, 416, 'range_not_satisfiable');
  });

  it('answers HEAD as GET, without the bytes, and whole', async () => {
    const api = await newCaller('files:write', 'files:read');
    const { id } = await uploaded(api, pngBytes(100));

    const response = await api(`/api/v1/files/${id}/content`, {
      method: 'HEAD',
      headers: { range: 'bytes=0-1' },
    });

    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([
      200,
      '100',
      '',
    ]);
  });
});

describe('deleting a file', () => {
  it('answers 204, then 404, and kills the links given out before', async () => {
    const api = await newCaller('files:write', 'files:read', 'files:share');
    const { id } = await uploaded(api);
    const link = await api('/api/v1/sas', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ file_id: id }),
    });
    const { url } = await bodyOf<{ url: string }>(link);

    const before = await fetch(url);
    const first = await api(`/api/v1/files/${id}`, { method: 'DELETE' });
    const after = await fetch(url);
    const again = await api(`/api/v1/files/${id}`, { method: 'DELETE' });

    expect([before.status, first.status]).toEqual([200, 204]);
    expect(after.status).toBe(404);
    await expectProblem(again, 404, 'not_found');
    await expectProblem(await api(`/api/v1/files/${id}/content`), 404, 'not_found');
    expect((await bodyOf<Page>(api('/api/v1/files'))).data).toEqual([]);
    expect((await adminApi()(`/api/v1/files/${id}`)).status).toBe(200);
    await before.arrayBuffer();
  });

  it('is refused while the file is being uploaded', async () => {
    const api = await newCaller('files:write', 'files:read');
    const { id } = await uploaded(api);
    await inDatabase((db) => db.query("update files set status = 'pending' where id = $1", [id]));

    await expectProblem(await api(`/api/v1/files/${id}`, { method: 'DELETE' }), 409, 'file_not_available');
  });

  it('that broke off is finished by repeating it, and by maintenance', async () => {
    const api = await newCaller('files:write', 'files:read');
    const [first, second] = [await uploaded(api), await uploaded(api)];
    await inDatabase((db) =>
      db.query(
        "update files set status = 'deleted', deleted_at = now() - interval '1 hour' where id = any($1::uuid[])",
        [[first.id, second.id]],
      ),
    );
    const areThere = () => Promise.all([first, second].map((file) => blobExists(file.blob.name)));

    const broken = await areThere();
    const repeated = await api(`/api/v1/files/${first.id}`, { method: 'DELETE' });

    expect([broken, repeated.status]).toEqual([[true, true], 204]);
    await afterMaintenance(inject('baseUrl'), areThere).toEqual([false, false]);
    await expectProblem(await api(`/api/v1/files/${first.id}`, { method: 'DELETE' }), 404, 'not_found');
  });
});

async function blobExists(name: string): Promise<boolean> {
  const service = BlobServiceClient.fromConnectionString(inject('storageConnectionString'));
  return service.getContainerClient('crownsafe-images').getBlobClient(name).exists();
}
