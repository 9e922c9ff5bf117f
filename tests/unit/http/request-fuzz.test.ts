import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backupsCreate } from '../../../src/functions/backups-create.ts';
import { filesGet } from '../../../src/functions/files-get.ts';
import { filesList } from '../../../src/functions/files-list.ts';
import { sasIssue } from '../../../src/functions/sas-issue.ts';
import { isAppError } from '../../../src/lib/core/index.ts';
import { announcedDigest } from '../../../src/lib/files/digest-headers.ts';
import { selectContent } from '../../../src/lib/http/conditional.ts';
import type { Endpoint } from '../../../src/lib/http/endpoint.ts';
import { readRequestKey } from '../../../src/lib/http/idempotency.ts';
import { readInput } from '../../../src/lib/http/input.ts';
import { createCursors } from '../../../src/lib/http/pagination.ts';
import { chooseCorrelationId } from '../../../src/lib/observability/index.ts';
import { readTraceHeaders } from '../../../src/lib/observability/trace-context.ts';
import { createKeyring } from '../../../src/lib/security/index.ts';
import { hostileTexts } from '../../support/hostile-texts.ts';

/** Whatever a client writes, the answer is a value or a refusal in our own words, never a crash. */
async function refusalOf(work: () => unknown): Promise<'refused' | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (isAppError(error) && error.status < 500) return 'refused';
    throw error;
  }
}

const uuid = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';

describe('a cursor that is not ours', () => {
  const cursors = createCursors(createKeyring('a-secret-of-the-tests-0123456789abcdef'));
  const key = ['2026-02-03T04:05:06.000Z', uuid];
  const cursor = cursors.encode('files {}', key);

  it('is refused, 30,000 times', { timeout: 60_000 }, async () => {
    expect(cursors.decode('files {}', cursor)).toEqual(key);

    await fc.assert(
      fc.asyncProperty(hostileTexts(cursor), async (text) => {
        expect(await refusalOf(() => cursors.decode('files {}', text))).toBe('refused');
      }),
      { numRuns: 30_000 },
    );
  });
});

/** A message as it comes over the wire. */
function message(url: string, body = ''): IncomingMessage {
  const stream = Readable.from(body === '' ? [] : [Buffer.from(body)]);
  return Object.assign(stream, {
    url,
    headers: { 'content-type': 'application/json' },
  }) as unknown as IncomingMessage;
}

describe('an address, a query or a body that nobody has foreseen', () => {
  const ask = (endpoint: Endpoint, url: string, body?: string) => readInput(endpoint, message(url, body));

  it('gives an id that is well formed, or is refused: 10,000 times', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(hostileTexts(uuid), async (text) => {
        await refusalOf(async () => {
          const { params } = await ask(filesGet, `/api/v1/files/${text}`);
          expect(params).toEqual({
            id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
          });
        });
      }),
      { numRuns: 10_000 },
    );
  });

  it('never has more than is declared: 10,000 times', { timeout: 60_000 }, async () => {
    const declared = ['page', 'per_page', 'cursor', 'prefix', 'status', 'content_type', 'project_id', 'sort'];
    const pairs = fc.array(
      fc.tuple(fc.oneof(fc.constantFrom(...declared), hostileTexts('status')), hostileTexts('1')),
      {
        maxLength: 4,
      },
    );

    await fc.assert(
      fc.asyncProperty(pairs, async (given) => {
        const query = given.map((pair) => pair.join('=')).join('&');
        await refusalOf(async () => {
          const input = await ask(filesList, `/api/v1/files?${query}`);
          const names = Object.keys(input.query as object);
          expect(
            names.filter((name) => ![...declared, 'created_after', 'created_before'].includes(name)),
          ).toEqual([]);
        });
      }),
      { numRuns: 10_000 },
    );
  });

  it('asks for the file it names, or is refused: 10,000 times', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), hostileTexts(`{"file_id":"${uuid}"}`)), async (body) => {
        await refusalOf(async () => {
          const input = await ask(sasIssue, '/api/v1/sas', body);
          expect(input.body).toMatchObject({ file_id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
        });
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('a header that nobody has foreseen', () => {
  const caller = { id: 'key:1', scopes: new Set<never>(), projectIds: [] };
  const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

  it('is no correlation id and no trace, or one that is safe to write down: 10,000 times', () => {
    fc.assert(
      fc.property(hostileTexts('request-0123456789'), hostileTexts(trace), (id, traceparent) => {
        const headers: Record<string, string> = { 'x-correlation-id': id, traceparent };
        const chosen = chooseCorrelationId((name) => headers[name]);
        readTraceHeaders({ traceparent, tracestate: id });

        expect(chosen).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{7,127}$/);
      }),
      { numRuns: 10_000 },
    );
  });

  it('is no idempotency key, or one of visible characters: 10,000 times', async () => {
    await fc.assert(
      fc.asyncProperty(hostileTexts('a-key-of-a-client'), async (text) => {
        await refusalOf(() => {
          const found = readRequestKey(backupsCreate, caller, { 'idempotency-key': text });
          expect(found?.key).toMatch(/^[!-~]{1,255}$/);
        });
      }),
      { numRuns: 10_000 },
    );
  });

  it('asks for no byte that is not there: 10,000 times', async () => {
    const sizeBytes = 1_000;
    const representation = { etag: '"sha256-x"', lastModified: 1_000_000, sizeBytes };

    await fc.assert(
      fc.asyncProperty(hostileTexts('bytes=10-20'), hostileTexts('"sha256-x"'), async (range, tag) => {
        await refusalOf(() => {
          const headers = { range, 'if-none-match': tag, 'if-modified-since': tag };
          const selection = selectContent('GET', headers, representation);
          if (selection.kind !== 'range') return;
          const { offset, count } = selection;
          expect([offset >= 0, count > 0, offset + count <= sizeBytes]).toEqual([true, true, true]);
        });
        await refusalOf(() => selectContent('GET', { range, 'if-range': tag }, representation));
      }),
      { numRuns: 10_000 },
    );
  });

  it('announces no digest, or one of 32 bytes: 10,000 times', async () => {
    const digest = `sha-256=:${Buffer.alloc(32, 7).toString('base64')}:`;

    await fc.assert(
      fc.asyncProperty(hostileTexts(digest), async (text) => {
        await refusalOf(() => {
          const found = announcedDigest({ 'repr-digest': text });
          if (found) expect([found.algorithm, found.value.length]).toEqual(['sha256', 32]);
        });
      }),
      { numRuns: 10_000 },
    );
  });
});
