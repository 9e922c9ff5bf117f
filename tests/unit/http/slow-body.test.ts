import { describe, expect, it } from 'vitest';
import { anybody, type Endpoint } from '../../../src/lib/http/endpoint.ts';
import { readBody } from '../../../src/lib/http/index.ts';
import { serve } from './served.ts';

function declared(handle: Endpoint['handle']): Endpoint {
  return {
    name: 'files-upload',
    method: 'POST',
    route: 'api/v1/uploads',
    summary: 'Upload a file',
    access: anybody,
    responses: { 200: undefined },
    handle,
  } as Endpoint;
}

/** Reads the body, and tells how much of it has come. */
function reading() {
  const progress = { bytes: 0 };
  const endpoint = declared(async ({ raw }) => {
    raw.on('data', (chunk: Buffer) => {
      progress.bytes += chunk.length;
    });
    const { bytes } = await readBody(raw, 2 ** 20);
    return { bytes: bytes.length };
  });
  return { endpoint, progress };
}

/** A request whose body is written by hand. */
function post(served: Awaited<ReturnType<typeof serve>>, headers: Record<string, string> = {}) {
  const sent = served.send({ method: 'POST', headers: { 'transfer-encoding': 'chunked', ...headers } });
  const answered = new Promise<{ status: number; code: string; connection: string | undefined }>(
    (resolve, reject) => {
      sent.on('error', reject);
      sent.on('response', (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            code: JSON.parse(text).code,
            connection: response.headers.connection,
          }),
        );
      });
    },
  );
  const closed = new Promise<void>((resolve) => sent.on('close', resolve));
  return { sent, answered, closed };
}

const arrived = (progress: { bytes: number }, bytes: number) =>
  expect.poll(() => progress.bytes, { timeout: 5_000 }).toBe(bytes);

describe('a body', () => {
  it('that comes slower than 1 KiB a second is cut off after 20 s, with its connection', async () => {
    const { endpoint, progress } = reading();
    await using served = await serve(endpoint);
    const { sent, answered, closed } = post(served);

    for (let second = 1; second <= 19; second++) {
      sent.write('x');
      await arrived(progress, second);
      await served.clock.advance(1_000);
    }
    await served.clock.advance(1_000);

    expect(await answered).toEqual({ status: 408, code: 'request_timeout', connection: 'close' });
    await closed;
    expect(served.clock.timers).toBe(0);
    expect(served.lines()).toMatchObject([{ level: 'info', status: 408, code: 'request_timeout' }]);
  });

  it('that comes fast enough may take longer than that', async () => {
    const { endpoint, progress } = reading();
    await using served = await serve(endpoint);
    const { sent, answered } = post(served);
    sent.write('x');
    await arrived(progress, 1);

    for (let window = 1; window <= 3; window++) {
      sent.write(Buffer.alloc(21 * 1024));
      await arrived(progress, window * 21 * 1024 + 1);
      await served.clock.advance(20_000);
    }
    sent.end();

    expect(await answered).toMatchObject({ status: 200 });
    expect(served.clock.timers).toBe(0);
  });

  it('that stops after a good beginning is cut off too', async () => {
    const { endpoint, progress } = reading();
    await using served = await serve(endpoint);
    const { sent, answered } = post(served);

    sent.write(Buffer.alloc(100 * 1024));
    await arrived(progress, 100 * 1024);
    await served.clock.advance(20_000);
    await served.clock.advance(20_000);

    expect(await answered).toMatchObject({ status: 408 });
  });

  it('may wait while nobody reads it', async () => {
    const { promise: waiting, resolve: goOn } = Promise.withResolvers<void>();
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    await using served = await serve(
      declared(async ({ raw }) => {
        reach();
        await waiting;
        return { bytes: (await readBody(raw, 100)).bytes.length };
      }),
    );
    const { sent, answered } = post(served);
    sent.write('x');
    await reached;

    await served.clock.advance(60_000);
    goOn();
    sent.end('y');

    expect(await answered).toMatchObject({ status: 200 });
  });

  it('that has not ended with the deadline is what was too slow, not we', async () => {
    const { endpoint, progress } = reading();
    await using served = await serve(endpoint);
    const { sent, answered } = post(served, { 'x-request-timeout': '2' });
    sent.write('x');
    await arrived(progress, 1);

    await served.clock.advance(2_000);

    expect(await answered).toEqual({ status: 408, code: 'request_timeout', connection: 'close' });
  });

  it('that has come whole before the deadline is not what was too slow', async () => {
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    await using served = await serve(
      declared(async ({ raw }) => {
        await readBody(raw, 100);
        reach();
        return new Promise(() => {});
      }),
    );
    const { sent, answered } = post(served, { 'x-request-timeout': '2' });
    sent.end('x');
    await reached;

    await served.clock.advance(2_000);

    expect(await answered).toMatchObject({ status: 504, code: 'deadline_exceeded' });
  });
});
