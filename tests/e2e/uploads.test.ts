import { createHash, randomUUID } from 'node:crypto';
import http from 'node:http';
import { BlobServiceClient } from '@azure/storage-blob';
import { describe, expect, inject, it } from 'vitest';
import {
  type Api,
  adminApi,
  bodyOf,
  expectProblem,
  inDatabase,
  newCaller,
  newProject,
} from '../support/api.ts';
import { type FileJson, formOf, pngBytes, uploaded, uploadForm, uploadRaw } from '../support/uploads.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
const maxBytes = 10 * 2 ** 20;

async function storedNames(): Promise<string[]> {
  const service = BlobServiceClient.fromConnectionString(inject('storageConnectionString'));
  const container = service.getContainerClient('crownsafe-images');
  const names: string[] = [];
  for await (const blob of container.listBlobsFlat({ includeUncommitedBlobs: true })) names.push(blob.name);
  return names;
}

describe('uploading a file', () => {
  it('stores a form and shows the file', async () => {
    const api = await newCaller('files:write', 'files:read');
    const bytes = pngBytes();

    const response = await uploadForm(api, bytes, {
      name: 'Żółw №1.png',
      fields: { metadata: '{"source":"test"}' },
    });

    const file = await bodyOf<FileJson>(response);
    expect(response.status).toBe(201);
    expect(response.headers.get('location')).toBe(`/api/v1/files/${file.id}`);
    expect(file).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 'Żółw №1.png',
      content_type: 'image/png',
      size: bytes.length,
      sha256: sha256(bytes).toString('hex'),
      status: 'available',
      metadata: { source: 'test' },
      project_id: null,
      owner_id: api.callerId,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      etag: expect.stringMatching(/^[^"]+$/),
      blob: { container: 'crownsafe-images', name: `${file.id}.png`, url: expect.stringMatching(/\.png$/) },
    });
    const shown = await api(`/api/v1/files/${file.id}`);
    expect(await shown.json()).toEqual(file);
    expect(shown.headers.get('etag')).toBe(`"${file.etag}"`);
  });

  it('stores raw bytes under a percent-encoded name, and holds them against a digest', async () => {
    const api = await newCaller('files:write');
    const bytes = pngBytes();
    const digest = `sha-256=:${sha256(bytes).toString('base64')}:`;

    const response = await uploadRaw(api, bytes, {
      'x-file-name': encodeURIComponent('zażółć.png'),
      'repr-digest': digest,
    });

    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({ name: 'zażółć.png', size: bytes.length });
  });

  it('takes exactly the limit and refuses one byte more', async () => {
    const api = await newCaller('files:write');

    const just = await uploadForm(api, pngBytes(maxBytes));
    const more = await uploadForm(api, pngBytes(maxBytes + 1));
    const moreRaw = await uploadRaw(api, pngBytes(maxBytes + 1));

    expect(just.status).toBe(201);
    await expectProblem(more, 413, 'file_too_large');
    await expectProblem(moreRaw, 413, 'file_too_large');
  });

  it('measures a body without content-length while it comes', async () => {
    const api = await newCaller('files:write');
    const chunk = pngBytes(2 ** 20);
    const body = new ReadableStream({
      start(controller) {
        for (let sent = 0; sent < 11; sent += 1) controller.enqueue(new Uint8Array(chunk));
        controller.close();
      },
    });

    const response = await api('/api/v1/uploads', {
      method: 'POST',
      headers: { 'content-type': 'image/png', 'x-file-name': 'big.png' },
      body,
      duplex: 'half',
    } as RequestInit);

    await expectProblem(response, 413, 'file_too_large');
  });

  it('keeps a file in a project, for its members only', async () => {
    const member = await newCaller('files:write', 'files:read');
    const other = await newCaller('files:read');
    const outsider = await newCaller('files:write', 'files:read');
    const projectId = await newProject(member, other);

    const file = await uploaded(member, pngBytes(), { fields: { project_id: projectId } });

    expect((await other(`/api/v1/files/${file.id}`)).status).toBe(200);
    await expectProblem(await outsider(`/api/v1/files/${file.id}`), 404, 'not_found');
    await expectProblem(
      await uploadForm(outsider, pngBytes(), { fields: { project_id: projectId } }),
      404,
      'not_found',
    );
    await expectProblem(
      await uploadForm(adminApi(), pngBytes(), { fields: { project_id: randomUUID() } }),
      404,
      'not_found',
    );
  });
});

describe('the gate', () => {
  const jpegBytes = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(100)]);
  const hex = (bytes: Uint8Array) => sha256(bytes).toString('hex');
  const png = pngBytes();

  it.each([
    ['an empty file', Buffer.alloc(0), {}, 400, 'empty_file'],
    ['an empty file before its bad name', Buffer.alloc(0), { name: 'x.exe' }, 400, 'empty_file'],
    ['an extension that is not on the list', png, { name: 'photo.exe' }, 415, 'unsupported_file_type'],
    ['a name without extension', png, { name: 'photo' }, 415, 'unsupported_file_type'],
    ['a declared type of another kind', png, { type: 'image/jpeg' }, 415, 'unsupported_file_type'],
    ['bytes that are not what the name says', jpegBytes, {}, 415, 'unsupported_file_type'],
    [
      'wrong bytes before a wrong digest',
      jpegBytes,
      { fields: { sha256: hex(png) } },
      415,
      'unsupported_file_type',
    ],
    ['a digest of something else', png, { fields: { sha256: hex(jpegBytes) } }, 422, 'digest_mismatch'],
    ['a digest that is none', png, { fields: { sha256: 'abc' } }, 400, 'malformed_digest'],
    ['a path as name', png, { fields: { name: '../../etc/passwd.png' } }, 422, 'validation_failed'],
    ['a backslash path as name', png, { fields: { name: 'C:\\temp\\x.png' } }, 422, 'validation_failed'],
    ['a NUL in the name', png, { fields: { name: 'a\0b.png' } }, 422, 'validation_failed'],
    [
      'a name of 256 characters',
      png,
      { fields: { name: `${'a'.repeat(252)}.png` } },
      422,
      'validation_failed',
    ],
    ['metadata that is not JSON', png, { fields: { metadata: '{' } }, 422, 'validation_failed'],
    ['metadata with a number', png, { fields: { metadata: '{"a":1}' } }, 422, 'validation_failed'],
    [
      '33 metadata values',
      png,
      {
        fields: {
          metadata: JSON.stringify(Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`k${i}`, '']))),
        },
      },
      422,
      'validation_failed',
    ],
    ['a malformed project', png, { fields: { project_id: 'nope' } }, 422, 'validation_failed'],
    ['a field that is not known', png, { fields: { owner: 'me' } }, 422, 'validation_failed'],
  ])('refuses %s', async (_what, bytes, parts, status, code) => {
    const api = await newCaller('files:write');

    const response = await uploadForm(api, bytes, parts);

    await expectProblem(response, status, code);
  });

  it.each([
    ['no name', { 'x-file-name': '' }, 422, 'name_required'],
    ['a name that is not percent-encoded', { 'x-file-name': '%E0%A4%A' }, 422, 'validation_failed'],
    ['an encoded NUL in the name', { 'x-file-name': 'a%00b.png' }, 422, 'validation_failed'],
    ['a digest header that cannot be read', { 'repr-digest': 'sha-256=abc' }, 400, 'malformed_digest'],
    ['an MD5 that is none', { 'content-md5': 'abc' }, 400, 'malformed_digest'],
    ['an MD5 of something else', { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' }, 422, 'digest_mismatch'],
  ])('refuses raw bytes with %s', async (_what, headers, status, code) => {
    const api = await newCaller('files:write');

    const response = await uploadRaw(api, png, headers);

    await expectProblem(response, status, code);
  });

  it('asks for one file part, named file', async () => {
    const api = await newCaller('files:write');
    const none = new FormData();
    none.set('name', 'x.png');
    const otherName = new FormData();
    otherName.set('photo', new Blob([new Uint8Array(png)]), 'x.png');
    const two = formOf(png);
    two.append('file', new Blob([new Uint8Array(png)], { type: 'image/png' }), 'second.png');
    const send = (body: FormData) => api('/api/v1/uploads', { method: 'POST', body });

    await expectProblem(await send(none), 422, 'file_part_required');
    await expectProblem(await send(otherName), 422, 'file_part_required');
    await expectProblem(await send(two), 422, 'one_file_only');
  });

  it('takes application/octet-stream for no declared type', async () => {
    const api = await newCaller('files:write');

    const response = await uploadForm(api, png, { type: 'application/octet-stream' });

    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({ content_type: 'image/png' });
  });

  it('checks raw bytes and forms in the order of the contract', async () => {
    const api = await newCaller('files:write');
    const none = Buffer.alloc(0);
    const bad = { sha256: 'abc', metadata: '{', project_id: 'x' };

    await expectProblem(await uploadRaw(api, none, { 'x-file-name': '' }), 400, 'empty_file');
    await expectProblem(await uploadRaw(api, none, { 'repr-digest': 'x' }), 400, 'empty_file');
    await expectProblem(
      await uploadRaw(api, png, { 'x-file-name': 'a.exe', 'repr-digest': 'x' }),
      415,
      'unsupported_file_type',
    );
    await expectProblem(await uploadForm(api, none, { fields: bad }), 400, 'empty_file');
    await expectProblem(
      await uploadForm(api, png, { name: 'a.exe', fields: bad }),
      415,
      'unsupported_file_type',
    );
    await expectProblem(await uploadForm(api, png, { fields: bad }), 400, 'malformed_digest');
  });

  it('says which part of the metadata it refuses', async () => {
    const api = await newCaller('files:write');
    const refusal = async (metadata: string) => {
      const response = await uploadForm(api, png, { fields: { metadata } });
      return (await bodyOf<{ errors: { path: string }[] }>(response)).errors.map(({ path }) => path);
    };

    expect(await refusal('{"a":1}')).toEqual(['metadata.a']);
    expect(await refusal('[]')).toEqual(['metadata']);
    expect(await refusal('{"__proto__":"x"}')).toEqual(['metadata']);
    expect(await refusal('{"a":"\\u0000"}')).toEqual(['metadata.a']);
    expect(await refusal('{"a":"\\ud800"}')).toEqual(['metadata.a']);
    const kept = await uploadForm(api, png, { fields: { metadata: '{"a":"\\\\u0000"}' } });
    expect(await bodyOf(kept)).toMatchObject({ metadata: { a: '\\u0000' } });
  });

  it('leaves nothing behind of what it refuses', async () => {
    const api = await newCaller('files:write', 'files:read');
    const before = new Set(await storedNames());

    await uploadForm(api, jpegBytes);
    await uploadForm(api, png, { fields: { sha256: hex(jpegBytes) } });
    await uploadForm(api, pngBytes(maxBytes + 1));

    expect(await leftBehind(api, before)).toEqual([]);
  });

  it('leaves nothing behind of an upload that breaks off, and does not call it an error of ours', async () => {
    const api = await newCaller('files:write', 'files:read');
    const before = new Set(await storedNames());
    const gone = await countClientsGone();

    await breakOff(api);

    await expect.poll(countClientsGone).toBe(gone + 1);
    expect(await leftBehind(api, before)).toEqual([]);
  });
});

/** Rows of the caller, and blobs that were not there before and that no row of others knows. */
async function leftBehind(api: Api, before: ReadonlySet<string>): Promise<string[]> {
  const { rows } = await inDatabase((db) =>
    db.query<{ blob_name: string; owner_id: string }>('select blob_name, owner_id from files'),
  );
  const ofOthers = new Set(rows.filter((row) => row.owner_id !== api.callerId).map((row) => row.blob_name));
  const own = rows.filter((row) => row.owner_id === api.callerId).map((row) => row.blob_name);
  return [...own, ...(await storedNames()).filter((name) => !before.has(name) && !ofOthers.has(name))];
}

async function countClientsGone(): Promise<number> {
  const metrics = await (await adminApi()('/metrics')).text();
  const series =
    /^http_requests_total\{method="POST",endpoint="\/api\/v1\/uploads",status="499",.*\} (\d+)$/m;
  return Number(series.exec(metrics)?.[1] ?? 0);
}

/** Sends the beginning of a chunked form, waits until the app has it, and cuts the connection. */
async function breakOff(api: Api): Promise<void> {
  const request = http.request(`${inject('baseUrl')}/api/v1/uploads`, {
    method: 'POST',
    headers: { 'x-api-key': api.key, 'content-type': 'multipart/form-data; boundary=x' },
  });
  const closed = new Promise<void>((resolve) => request.on('close', resolve));
  request.on('error', () => {});
  request.write(
    '--x\r\ncontent-disposition: form-data; name="file"; filename="cut.png"\r\ncontent-type: image/png\r\n\r\n',
  );
  request.write(pngBytes());
  // A request after this one on the same app: when it is answered, ours is being worked on.
  await api('/api/v1/files');
  request.destroy();
  await closed;
}
