import net from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { endpoints } from '../../src/functions/index.ts';
import { apiWith, bodyOf, newCaller } from '../support/api.ts';
import { hostileTexts } from '../support/hostile-texts.ts';
import { uploaded } from '../support/uploads.ts';

/* As bytes on the wire, because a client library would refuse to send most of it. */

const requestsAtOnce = 16;

/** Sends bytes and reads the status of the answer; empty when the connection was closed without one. */
function statusOf(lines: readonly string[]): Promise<string> {
  const { hostname, port, host } = new URL(inject('baseUrl'));
  const [first = '', ...headers] = lines;
  const text = [first, `host: ${host}`, 'connection: close', ...headers, '', ''].join('\r\n');
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), hostname, () => socket.write(text, 'latin1'));
    let answer = '';
    socket.setTimeout(20_000, () => socket.destroy(new Error(`no answer to ${JSON.stringify(text)}`)));
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('close', () => resolve(answer.split(' ')[1] ?? ''));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      // What the server has refused before it was whole.
      error.code === 'ECONNRESET' || error.code === 'EPIPE' ? resolve('') : reject(error),
    );
  });
}

const refusal = /^4\d\d$|^$/;

/** Sends all of them, some at a time, and gives those with another answer. */
async function notAnswered(
  requests: readonly (readonly string[])[],
  expected: RegExp = refusal,
): Promise<string[]> {
  const left = requests.entries();
  const others: string[] = [];
  const work = async () => {
    for (const [, lines] of left) {
      const status = await statusOf(lines);
      if (!expected.test(status)) others.push(`${status} for ${JSON.stringify(lines)}`);
    }
  };
  await Promise.all(Array.from({ length: requestsAtOnce }, work));
  return others;
}

/** A failure names the seed, by which the same texts are made again. */
function texts(valid: string, count: number): { seed: number; sent: string[] } {
  const seed = Date.now() % 2 ** 31;
  return { seed, sent: fc.sample(hostileTexts(valid), { numRuns: count, seed }) };
}

/**
 * The characters that go over the wire, a byte each: of `İ` that is `0`, by which a wrong key may become the right one. What ends a
 * header or a line is left out, for the parts of one must stay one.
 */
const asHeader = (text: string) =>
  Buffer.from(text, 'latin1')
    .toString('latin1')
    .replaceAll(/[\r\n\0]/g, '')
    .slice(0, 15_000);

const guarded = endpoints.filter(({ access, method }) => access.kind === 'scope' && method === 'GET');
const pathFor = (index: number) =>
  `/${guarded[index % guarded.length]?.route.replaceAll(/\{\w+\}/g, '3f2504e0-4f89-41d3-9a0c-0305e82c3301')}`;

afterEach(async () => {
  // A connection that ends without an answer counts as a refusal, so somebody has to look whether anybody is there.
  expect((await apiWith()('/health')).status).toBe(200);
});

describe('over the wire', () => {
  it('opens nothing to 2,000 API keys that are not right', async () => {
    const key = inject('adminKey');
    const { seed, sent } = texts(key, 2_000);
    // Blanks around a value are no part of it.
    const wrong = sent.map(asHeader).filter((text) => text.trim() !== key);

    const accepted = await notAnswered(
      wrong.map((text, index) => [`GET ${pathFor(index)} HTTP/1.1`, `x-api-key: ${text}`]),
    );

    expect({ seed, accepted }).toEqual({ seed, accepted: [] });
    expect(wrong.length).toBeGreaterThan(1_800);
  });

  it('opens nothing to 1,000 authorizations that are not right', async () => {
    const { seed, sent } = texts(`Bearer ${inject('adminKey')}`, 1_000);

    const accepted = await notAnswered(
      sent.map((text, index) => [`GET ${pathFor(index)} HTTP/1.1`, `authorization: ${asHeader(text)}`]),
    );

    expect({ seed, accepted }).toEqual({ seed, accepted: [] });
  });

  it('reads nothing by 1,000 cursors that are not ours', async () => {
    const caller = await newCaller('files:read', 'files:write');
    await uploaded(caller);
    await uploaded(caller);
    const { next_cursor: cursor } = await bodyOf<{ next_cursor: string }>(caller('/api/v1/files?per_page=1'));
    const { seed, sent } = texts(cursor, 1_000);
    const wrong = sent.filter((text) => text.length < 8_000 && text !== '');

    const accepted = await notAnswered(
      wrong.map((text) => [
        `GET /api/v1/files?per_page=1&cursor=${encodeURIComponent(text.toWellFormed())} HTTP/1.1`,
        `x-api-key: ${caller.key}`,
      ]),
    );

    expect({ seed, accepted }).toEqual({ seed, accepted: [] });
    expect(wrong.length).toBeGreaterThan(900);
  });

  it('lives on after 1,000 requests that are hardly any', async () => {
    const { seed, sent } = texts('GET /api/v1/files?per_page=1 HTTP/1.1', 1_000);

    const accepted = await notAnswered(
      sent.map((text) => [text.slice(0, 15_000)]),
      // `/` is the host's own page.
      /^(4\d\d|204|)$/,
    );

    expect({ seed, accepted }).toEqual({ seed, accepted: [] });
  });
});
