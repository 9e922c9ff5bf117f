import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { Answer } from '../../support/misbehaving-server.ts';
import { accept, openBadService, refuse, until } from './bad-service.ts';

const { signal } = new AbortController();
const bytes = randomBytes(300_000);

/** Serves `bytes`, honouring ranges, but cuts the connection after `sent` bytes of each answer. */
function serveCut(sent: (number: number) => number): Answer {
  return (request, response, number) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers['x-ms-range']?.toString() ?? '')?.[1] ?? 0);
    const content = bytes.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      etag: '"0x1"',
      'content-length': content.length,
      ...(from > 0 && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
    });
    const part = content.subarray(0, sent(number));
    if (part.length === content.length) response.end(content);
    else response.write(part, () => setImmediate(() => request.socket.destroy()));
  };
}

describe('a download', () => {
  it('goes on where the connection was cut, with the same version', async () => {
    await using service = await openBadService(
      serveCut((number) => (number < 4 ? 80_000 : Number.POSITIVE_INFINITY)),
    );

    const { body, properties } = await service.blobs.download('a', { signal });
    const read = await buffer(body);

    expect(read.equals(bytes)).toBe(true);
    expect(properties.sizeBytes).toBe(bytes.length);
    const later = service.server.requests.slice(1);
    expect(later.length).toBeGreaterThan(0);
    for (const { headers } of later) {
      expect(headers['if-match']).toBe('"0x1"');
      expect(headers['x-ms-range']).toMatch(/^bytes=\d+-299999$/);
    }
  });

  it('ends with an error when nothing comes any more', async () => {
    await using service = await openBadService(serveCut(() => 0));

    const { body } = await service.blobs.download('a', { signal });

    await expect(buffer(body)).rejects.toMatchObject({ name: 'AppError', code: 'unavailable' });
    expect(service.server.requests).toHaveLength(3);
  });

  it('ends with an error when the blob was replaced meanwhile, and mixes nothing', async () => {
    const cut = serveCut(() => 80_000);
    await using service = await openBadService((...call) =>
      call[2] === 1 ? cut(...call) : refuse(412, 'ConditionNotMet')(...call),
    );

    const { body } = await service.blobs.download('a', { signal });

    await expect(buffer(body)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('survives a cut that comes before anybody reads', async () => {
    await using service = await openBadService(
      serveCut((number) => (number === 1 ? 10 : Number.POSITIVE_INFINITY)),
    );

    const { body } = await service.blobs.download('a', { signal });
    await until(() => service.server.pending === 0);

    expect((await buffer(body)).equals(bytes)).toBe(true);
  });

  it.each([
    ['the consumer stops early', (body: Readable) => body.destroy()],
    ['the signal aborts', (_: Readable, abort: AbortController) => abort.abort(new Error('enough'))],
  ])('leaves no connection when %s', async (_, stop) => {
    const stall: Answer = (_request, response) => {
      response.writeHead(200, { etag: '"0x1"', 'content-length': 1_000_000 }).write(Buffer.alloc(1_000));
    };
    await using service = await openBadService(stall);
    const abort = new AbortController();
    const { body } = await service.blobs.download('a', { signal: abort.signal });
    for await (const _chunk of body.iterator({ destroyOnReturn: false })) break;

    stop(body, abort);

    await until(() => service.server.pending === 0);
    expect(body.destroyed).toBe(true);
    expect(service.server.requests).toHaveLength(1);
  });
});

describe('an upload in blocks', () => {
  const endless = () =>
    new Readable({
      read() {
        this.push(Buffer.alloc(2 ** 20));
      },
    });

  it('ends at once at the abort, with no connection left and nothing committed', async () => {
    await using service = await openBadService(() => {});
    const abort = new AbortController();
    const source = endless();
    const upload = service.blobs
      .upload('a', source, { contentType: 'image/png', signal: abort.signal })
      .catch((error: unknown) => error);
    await until(() => service.server.requests.length === 4);

    const abortedAt = performance.now();
    const reason = new Error('enough');
    abort.abort(reason);

    expect(await upload).toBe(reason);
    expect(performance.now() - abortedAt).toBeLessThan(5_000);
    expect(source.destroyed).toBe(true);
    await until(() => service.server.pending === 0);
    expect(service.server.requests.every(({ url }) => url.includes('comp=block&'))).toBe(true);
  });

  it.each([
    ['breaks', new Error('the client has gone'), 'the client has gone'],
    ['closes without a word', undefined, 'Premature close'],
  ])('ends at once when its source %s while blocks are on their way', async (_, error, message) => {
    await using service = await openBadService(() => {});
    const source = endless();
    const upload = service.blobs
      .upload('a', source, { contentType: 'image/png', signal })
      .catch((failure: unknown) => failure);
    await until(() => service.server.requests.length === 4);

    source.destroy(error);

    expect(await upload).toMatchObject({ message });
    await until(() => service.server.pending === 0);
    expect(service.server.requests.every(({ url }) => url.includes('comp=block&'))).toBe(true);
  });

  it('keeps at most four blocks on their way, however fast the source is', async () => {
    await using service = await openBadService(() => {}, { settings: { bulkheadSize: 0 } });
    const abort = new AbortController();
    const upload = service.blobs
      .upload('a', endless(), { contentType: 'image/png', signal: abort.signal })
      .catch(() => {});
    await until(() => service.server.requests.length === 4);
    await new Promise((resolve) => setImmediate(resolve));

    const onTheirWay = service.server.requests.length;
    abort.abort();
    await upload;

    expect(onTheirWay).toBe(4);
  });

  it('ends when one block is refused, cancels the others, and destroys the source', async () => {
    await using service = await openBadService((request, response, number) => {
      if (number === 3) refuse(403, 'AuthenticationFailed')(request, response, number);
    });
    const source = endless();

    const upload = service.blobs.upload('a', source, { contentType: 'image/png', signal });

    await expect(upload).rejects.toMatchObject({ code: 'upstream' });
    expect(source.destroyed).toBe(true);
    await until(() => service.server.pending === 0);
  });

  it('repeats only the block whose answer was lost, and proves every block by its digest', async () => {
    await using service = await openBadService((request, response, number) => {
      if (number === 2) request.socket.destroy();
      else accept(request, response, number);
    });

    await service.blobs.upload('a', randomBytes(20 * 2 ** 20), { contentType: 'image/png', signal });

    const blocks = service.server.requests.filter(({ url }) => url.includes('comp=block&'));
    expect(service.server.requests).toHaveLength(3 + 1 + 1);
    expect(new Set(blocks.map(({ url }) => url)).size).toBe(3);
    expect(blocks.every(({ headers }) => headers['content-md5'])).toBe(true);
  });
});
