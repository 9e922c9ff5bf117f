import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Answer } from '../../support/misbehaving-server.ts';
import { accept, openBadService, refuse } from './bad-service.ts';

const { signal } = new AbortController();
const wholeMaxBytes = 256 * 2 ** 20;

/** What stands in the source; one version after the other, the last one stays. */
function sourceOf(sizeBytes: number, ...etags: readonly string[]): Answer {
  let asked = 0;
  return (_request, response) => {
    const etag = etags[Math.min(asked++, etags.length - 1)];
    response
      .writeHead(200, {
        etag,
        'content-length': sizeBytes,
        'content-type': 'image/png',
        'content-disposition': 'inline',
        'x-ms-meta-file_id': 'f-1',
      })
      .end();
  };
}

async function copy(source: Answer, target: Answer) {
  const service = await openBadService((request, ...rest) =>
    (request.method === 'HEAD' ? source : target)(request, ...rest),
  );
  const copying = service.storage.blobs('trash').copyFrom(service.blobs, 'a', { signal });
  const outcome = await copying.catch((error: unknown) => error);
  await service[Symbol.asyncDispose]();
  return { outcome, writes: service.server.requests.filter(({ method }) => method === 'PUT') };
}

const copied: Answer = (request, response) => {
  request.resume();
  response.writeHead(202, { etag: '"0x9"', 'x-ms-copy-status': 'success' }).end();
};
const isCommit = (request: Pick<IncomingMessage, 'url'>) => request.url?.includes('comp=blocklist') === true;

describe('a copy', () => {
  it('is of the version that was asked about, and made in one go up to 256 MiB', async () => {
    const { outcome, writes } = await copy(sourceOf(wholeMaxBytes, '"0x1"'), copied);

    expect(outcome).toMatchObject({ name: 'a', etag: '"0x1"', sizeBytes: wholeMaxBytes });
    expect(writes).toHaveLength(1);
    expect(writes[0]?.headers).toMatchObject({
      'x-ms-source-if-match': '"0x1"',
      'x-ms-requires-sync': 'true',
    });
    expect(writes[0]?.headers['x-ms-copy-source']).toContain('/account/photos/a?');
  });

  it('is made again when its answer was lost', async () => {
    const { outcome, writes } = await copy(sourceOf(3, '"0x1"'), (request, response, number) => {
      if (number === 2) request.socket.destroy();
      else copied(request, response, number);
    });

    expect(outcome).toMatchObject({ etag: '"0x1"' });
    expect(writes).toHaveLength(2);
  });

  it.each([
    ['has gone', refuse(404, 'CannotVerifyCopySource'), 'not_found'],
    ['has changed', refuse(412, 'SourceConditionNotMet'), 'conflict'],
    ['may not be read', refuse(403, 'CannotVerifyCopySource'), 'upstream'],
  ])('of a source that %s meanwhile is refused', async (_, answer, code) => {
    const { outcome } = await copy(sourceOf(3, '"0x1"'), answer);

    expect(outcome).toMatchObject({ name: 'AppError', code });
  });

  it('of more than 256 MiB is made in pieces, and looks like its source', async () => {
    const { outcome, writes } = await copy(sourceOf(wholeMaxBytes + 5, '"0x1"'), accept);

    const [first, second, commit] = writes;
    expect(outcome).toMatchObject({ etag: '"0x1"' });
    expect(writes).toHaveLength(3);
    expect([first, second].map((write) => write?.headers['x-ms-source-range'])).toEqual([
      `bytes=0-${wholeMaxBytes - 1}`,
      `bytes=${wholeMaxBytes}-${wholeMaxBytes + 4}`,
    ]);
    expect(commit?.headers).toMatchObject({
      'x-ms-blob-content-type': 'image/png',
      'x-ms-blob-content-disposition': 'inline',
      'x-ms-meta-file_id': 'f-1',
    });
  });

  it('in pieces of a source that has changed meanwhile shows nothing', async () => {
    const { outcome, writes } = await copy(sourceOf(wholeMaxBytes + 5, '"0x1"', '"0x2"'), accept);

    expect(outcome).toMatchObject({ name: 'AppError', code: 'conflict' });
    expect(writes.some(isCommit)).toBe(false);
  });
});
