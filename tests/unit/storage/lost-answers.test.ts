import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Answer } from '../../support/misbehaving-server.ts';
import { accept, openBadService, refuse } from './bad-service.ts';

const { signal } = new AbortController();
const image = { contentType: 'image/png', signal };

/** Carries out the first request of a kind, but loses its answer; refuses the next ones as the service would then. */
function loseFirst(
  isKind: (request: IncomingMessage) => boolean,
  others: Answer,
  afterwards: Answer,
): Answer {
  let seen = 0;
  return (request, response, number) => {
    if (!isKind(request)) others(request, response, number);
    else if (++seen === 1) request.resume().on('end', () => request.socket.destroy());
    else afterwards(request, response, number);
  };
}

const isCommit = (request: IncomingMessage) => request.url?.includes('comp=blocklist') === true;
const isPut = (request: IncomingMessage) => request.method === 'PUT';

/** A blob that stands under the name, put there by the upload whose id is asked for at the time. */
const standing =
  (uploadId: () => unknown): Answer =>
  (_request, response) => {
    response
      .writeHead(200, { etag: '"0x7"', 'content-length': '3', 'x-ms-meta-upload_id': String(uploadId()) })
      .end();
  };

const uploads = [
  ['put of a small blob', isPut, () => Buffer.from('abc')],
  ['commit of blocks', isCommit, () => Readable.from([randomBytes(9 * 2 ** 20)])],
] as const;

describe.each(uploads)('a repeated %s', (_, isKind, source) => {
  it('that meets its own blob is success', async () => {
    let uploadId: unknown;
    const remember: Answer = (request, response, number) => {
      uploadId ??= request.headers['x-ms-meta-upload_id'];
      refuse(409, 'BlobAlreadyExists')(request, response, number);
    };
    const head = standing(() => uploadId);
    await using service = await openBadService(
      loseFirst(isKind, (...call) => (call[0].method === 'HEAD' ? head : accept)(...call), remember),
    );

    const stored = await service.blobs.upload('a', source(), { ...image, onlyIfAbsent: true });

    expect(stored).toMatchObject({ name: 'a', etag: '"0x7"', metadata: { upload_id: uploadId } });
  });

  it("that meets somebody else's blob is a conflict", async () => {
    const head = standing(() => 'another upload');
    await using service = await openBadService(
      loseFirst(
        isKind,
        (...call) => (call[0].method === 'HEAD' ? head : accept)(...call),
        refuse(409, 'BlobAlreadyExists'),
      ),
    );

    const upload = service.blobs.upload('a', source(), { ...image, onlyIfAbsent: true });

    await expect(upload).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('an upload that meets a blob at its first try', () => {
  it('does not ask whose it is', async () => {
    await using service = await openBadService(refuse(409, 'BlobAlreadyExists'));

    const upload = service.blobs.upload('a', Buffer.from('abc'), { ...image, onlyIfAbsent: true });

    await expect(upload).rejects.toMatchObject({ code: 'conflict' });
    expect(service.server.requests).toHaveLength(1);
    expect(service.server.requests[0]?.headers).toMatchObject({
      'if-none-match': '*',
      'content-md5': createHash('md5').update('abc').digest('base64'),
    });
    expect(service.events).toMatchObject([{ type: 'give_up', level: 'warning', status: 409 }]);
  });
});

describe.each(['BlobAlreadyExists', 'ConditionNotMet', 'InvalidBlockList', 'InvalidBlobOrBlock'])(
  'an upload that meets %s',
  (code) => {
    it('has met another one', async () => {
      await using service = await openBadService((request, ...rest) =>
        (isCommit(request) ? refuse(409, code) : accept)(request, ...rest),
      );

      const upload = service.blobs.upload('a', Readable.from([randomBytes(9 * 2 ** 20)]), image);

      await expect(upload).rejects.toMatchObject({ name: 'AppError', code: 'conflict' });
    });
  },
);

describe('a repeated write to a table', () => {
  const row = { partitionKey: 'p', rowKey: 'r', owner: 'me', n: 1 };
  const answerRow =
    (stored: object): Answer =>
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json;odata=minimalmetadata' });
      response.end(JSON.stringify({ PartitionKey: 'p', RowKey: 'r', 'odata.etag': 'W/"1"', ...stored }));
    };
  const refuseRow =
    (status: number, code: string): Answer =>
    (request, response) => {
      request.resume();
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ 'odata.error': { code, message: { lang: 'en', value: 'no' } } }));
    };
  const isWrite = (request: IncomingMessage) => request.method !== 'GET';

  it.each([
    ['its own row', { owner: 'me', n: 1 }, true],
    ["somebody else's row", { owner: 'you', n: 1 }, false],
    ['a row with more columns', { owner: 'me', n: 1, more: true }, false],
  ])('that meets %s tells whose it is', async (_, stored, expected) => {
    await using service = await openBadService(
      loseFirst(isWrite, answerRow(stored), refuseRow(409, 'EntityAlreadyExists')),
    );

    expect(await service.table.insert(row, { signal })).toBe(expected);
  });

  it.each([
    ['its own row', { owner: 'me', n: 1 }, true],
    ["somebody else's row", { owner: 'you', n: 1 }, false],
  ])('on a version, that meets %s, tells whose it is', async (_, stored, expected) => {
    await using service = await openBadService(
      loseFirst(isWrite, answerRow(stored), refuseRow(412, 'UpdateConditionNotSatisfied')),
    );

    expect(await service.table.replace(row, { signal, ifMatch: 'W/"0"' })).toBe(expected);
  });

  it('does not ask whose a row is when nothing was lost', async () => {
    await using service = await openBadService(refuseRow(409, 'EntityAlreadyExists'));

    expect(await service.table.insert(row, { signal })).toBe(false);
    expect(service.server.requests).toHaveLength(1);
    expect(service.events).toEqual([]);
  });

  it('takes a deletion that finds nothing for its own', async () => {
    await using rows = await openBadService(loseFirst(isWrite, accept, refuseRow(404, 'ResourceNotFound')));
    await using blobs = await openBadService(loseFirst(isWrite, accept, refuse(404, 'BlobNotFound')));

    expect(await rows.table.delete('p', 'r', { signal })).toBe(true);
    expect(await blobs.blobs.delete('a', { signal })).toBe(true);
  });

  it('does not take a deletion that finds nothing at its first try for its own', async () => {
    await using rows = await openBadService(refuseRow(404, 'ResourceNotFound'));
    await using blobs = await openBadService(refuse(404, 'BlobNotFound'));

    expect(await rows.table.delete('p', 'r', { signal })).toBe(false);
    expect(await blobs.blobs.delete('a', { signal })).toBe(false);
  });
});
