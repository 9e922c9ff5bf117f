import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { bodyOf, expectProblem, inDatabase, json, newCaller } from '../support/api.ts';
import { pngBytes, uploaded } from '../support/uploads.ts';

interface Link {
  readonly file_id: string;
  readonly url: string;
  readonly permissions: readonly string[];
  readonly expires_at: string;
  readonly cached: boolean;
}

const hourMs = 3_600_000;

describe('issuing a link', () => {
  it('gives a link that reads the file with no other credential, and only reads it', async () => {
    const api = await newCaller('files:write', 'files:share');
    const bytes = pngBytes();
    const { id } = await uploaded(api, bytes);

    const response = await api('/api/v1/sas', json({ file_id: id }));

    const link = await bodyOf<Link>(response);
    expect(response.status).toBe(201);
    expect(link).toEqual({
      file_id: id,
      url: expect.stringContaining('sig='),
      permissions: ['read'],
      expires_at: expect.any(String),
      cached: false,
    });
    expect(Math.abs(Date.parse(link.expires_at) - Date.now() - 24 * hourMs)).toBeLessThan(60_000);
    const fetched = await fetch(link.url);
    expect(Buffer.from(await fetched.arrayBuffer()).equals(bytes)).toBe(true);
    const written = await fetch(link.url, {
      method: 'PUT',
      body: 'x',
      headers: { 'x-ms-blob-type': 'BlockBlob' },
    });
    expect(written.status).toBe(403);
    expect((await fetch(link.url, { method: 'DELETE' })).status).toBe(403);
  });

  it('gives a plain link out again, and a special one never', async () => {
    const api = await newCaller('files:write', 'files:share');
    const { id } = await uploaded(api);
    const ask = (more: object = {}) => bodyOf<Link>(api('/api/v1/sas', json({ file_id: id, ...more })));

    const first = await ask();
    const second = await ask();
    const short = await ask({ expires_in: 60 });
    const named = await ask({ content_disposition: 'attachment; filename="x.png"' });

    expect(second).toEqual({ ...first, cached: true });
    expect([short.cached, named.cached]).toEqual([false, false]);
    expect(Math.abs(Date.parse(short.expires_at) - Date.now() - 60_000)).toBeLessThan(30_000);
    const download = await fetch(named.url);
    expect(download.headers.get('content-disposition')).toBe('attachment; filename="x.png"');
    await download.arrayBuffer();
  });

  it.each([
    [{}, 'validation_failed'],
    [{ file_id: 'x' }, 'validation_failed'],
    [{ file_id: randomUUID(), permissions: ['write'] }, 'validation_failed'],
    [{ file_id: randomUUID(), expires_in: 59 }, 'validation_failed'],
    [{ file_id: randomUUID(), expires_in: 518_401 }, 'validation_failed'],
    [{ file_id: randomUUID(), expires_in: '60' }, 'validation_failed'],
    [{ file_id: randomUUID(), ip: '1.2.3' }, 'validation_failed'],
    [{ file_id: randomUUID(), ip: '10.0.0.9-10.0.0.1' }, 'validation_failed'],
    [{ file_id: randomUUID().toUpperCase() }, 'validation_failed'],
    [{ file_id: randomUUID(), content_disposition: 'a\r\nx: y' }, 'validation_failed'],
  ])('refuses %j', async (body, code) => {
    const api = await newCaller('files:share');

    await expectProblem(await api('/api/v1/sas', json(body)), 422, code);
  });

  it('gives no link to a file that is unknown, foreign or not available', async () => {
    const owner = await newCaller('files:write', 'files:share');
    const stranger = await newCaller('files:share');
    const { id } = await uploaded(owner);
    const { id: quarantined } = await uploaded(owner);
    await inDatabase((db) =>
      db.query("update files set status = 'quarantined' where id = $1", [quarantined]),
    );

    await expectProblem(await stranger('/api/v1/sas', json({ file_id: id })), 404, 'not_found');
    await expectProblem(await owner('/api/v1/sas', json({ file_id: randomUUID() })), 404, 'not_found');
    const plainId = '00000000-0000-0000-0000-000000000001';
    await expectProblem(await owner('/api/v1/sas', json({ file_id: plainId })), 404, 'not_found');
    await expectProblem(
      await owner('/api/v1/sas', json({ file_id: quarantined })),
      409,
      'file_not_available',
    );
  });
});

describe('issuing links in a batch', () => {
  it('answers each item by itself, in the same order', async () => {
    const api = await newCaller('files:write', 'files:share');
    const { id } = await uploaded(api);
    const unknown = randomUUID();

    const response = await api(
      '/api/v1/sas/batch',
      json({ items: [{ file_id: unknown }, { file_id: id }, { file_id: 7 }] }),
    );

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      results: [
        {
          file_id: unknown,
          problem: expect.objectContaining({
            status: 404,
            code: 'not_found',
            correlation_id: expect.any(String),
          }),
        },
        { file_id: id, url: expect.stringContaining('sig='), expires_at: expect.any(String) },
        { file_id: null, problem: expect.objectContaining({ status: 422, code: 'validation_failed' }) },
      ],
    });
  });

  it('takes 100 items and refuses 101', async () => {
    const api = await newCaller('files:write', 'files:share');
    const { id } = await uploaded(api);
    const items = (count: number) => json({ items: Array.from({ length: count }, () => ({ file_id: id })) });

    const all = await bodyOf<{ results: unknown[] }>(api('/api/v1/sas/batch', items(100)));

    expect(all.results).toHaveLength(100);
    await expectProblem(await api('/api/v1/sas/batch', items(101)), 422, 'validation_failed');
  });
});
