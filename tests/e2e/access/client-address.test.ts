import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { adminApi, bodyOf, inDatabase, newCaller } from '../../support/api.ts';
import { testSecretKey } from '../../support/app.ts';
import { type Instance, startInstance } from '../../support/instance.ts';

/*
 * Under which address somebody stands in the audit trail is not for them to say: only what our own proxies have written counts.
 * Here the local host is the proxy next to the app, and writes 127.0.0.1.
 */

const made = '203.0.113.77';
let instance: Instance;

const settings = (hops: string) => ({
  SECRET_KEY: testSecretKey,
  DATABASE_URL: inject('appDatabaseUrl'),
  TRUSTED_PROXY_HOPS: hops,
  LOG_LEVEL: 'debug',
});

beforeAll(async () => {
  instance = await startInstance(settings('1'));
});
afterAll(() => instance?.[Symbol.asyncDispose]());

/** Makes a project, by a client that may send a header twice; gives what its row of the audit trail shows. */
async function addressInTrail(headers: http.OutgoingHttpHeaders): Promise<unknown> {
  const correlationId = randomUUID();
  const body = JSON.stringify({ name: 'seen from' });
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const request = http.request(`${instance.url}/api/v1/projects`, {
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/json',
        'content-length': body.length,
        'x-api-key': adminApi().key,
        'x-correlation-id': correlationId,
      },
    });
    request.on('response', resolve).on('error', reject).end(body);
  });
  expect([response.statusCode, await text(response)]).toEqual([201, expect.stringContaining('seen from')]);
  const trail = adminApi()(`/api/v1/audit?correlation_id=${correlationId}`);
  const { data } = await bodyOf<{ data: { client_address?: string }[] }>(trail);
  expect(data).toHaveLength(1);
  return data[0]?.client_address;
}

const spoofed: readonly (readonly [string, http.OutgoingHttpHeaders])[] = [
  ['an address', { 'x-forwarded-for': made }],
  ['an address with a port', { 'x-forwarded-for': `${made}:443` }],
  ['several', { 'x-forwarded-for': `${made}, 198.51.100.1, ${made}` }],
  ['the header twice', { 'x-forwarded-for': [made, made] }],
  ['an IPv6 address', { 'x-forwarded-for': '[2001:db8::77]:443' }],
  ['an address mapped into IPv6', { 'x-forwarded-for': `::ffff:${made}` }],
  ['nonsense', { 'x-forwarded-for': `${made};127.0.0.1\t"<script>` }],
  ['many commas', { 'x-forwarded-for': `${made},,,,,` }],
  ['another spelling', { 'X-FORWARDED-FOR': made }],
  ['the header of the standard', { forwarded: `for=${made};proto=https` }],
  [
    'headers of other proxies',
    {
      'x-real-ip': made,
      'x-client-ip': made,
      'true-client-ip': made,
      'cf-connecting-ip': made,
      'x-azure-clientip': made,
      'x-azure-socketip': made,
      'x-original-for': made,
      'x-cluster-client-ip': made,
    },
  ],
];

describe.each([
  ['1', 'the platform'],
  ['0', 'nobody'],
])('with TRUSTED_PROXY_HOPS=%s, so that %s is believed,', (hops) => {
  beforeAll(() => instance.restart(settings(hops)));

  it.each(spoofed)('the address of a row is not %s', async (_, headers) => {
    expect(await addressInTrail(headers)).toBe('127.0.0.1');
  });
});

describe('with TRUSTED_PROXY_HOPS=2, a proxy of ours before the platform,', () => {
  beforeAll(() => instance.restart(settings('2')));

  it.each([
    ['alone', '198.51.100.7', '198.51.100.7'],
    ['with a port', '198.51.100.7:50123', '198.51.100.7'],
    ['behind one that was made up', `${made}, 198.51.100.7`, '198.51.100.7'],
    ['behind many that were made up', `${`${made}, `.repeat(20)}198.51.100.7`, '198.51.100.7'],
    ['behind nonsense', `"${made}", ${made};, 198.51.100.7`, '198.51.100.7'],
    ['of IPv6', `${made}, [2001:DB8:0:0::7]:443`, '2001:db8::7'],
    ['that is none', `${made}, unknown`, '127.0.0.1'],
    ['missing', undefined, '127.0.0.1'],
  ])('the address of a row is what that one has written, %s', async (_, header, expected) => {
    const headers = header === undefined ? {} : { 'x-forwarded-for': header };

    expect(await addressInTrail(headers)).toBe(expected);
  });

  it('a refusal has it, too', async () => {
    const stranger = await newCaller('files:read');
    const headers = { 'x-forwarded-for': `${made}, 198.51.100.8`, 'x-api-key': stranger.key };

    const refused = await fetch(`${instance.url}/api/v1/jobs`, { headers });
    const trail = adminApi()(`/api/v1/audit?actor=${stranger.callerId}`);

    expect(refused.status).toBe(403);
    expect((await bodyOf<{ data: unknown[] }>(trail)).data).toMatchObject([
      { result: 'refused', client_address: '198.51.100.8' },
    ]);
  });
});

describe('an address', () => {
  it('stands in no line of the log, and in no table in the clear', async () => {
    const [row] = await inDatabase(
      async (db) =>
        (
          await db.query(
            `select count(*)::int as rows, count(*) filter (where encode(client_address, 'escape') ~ '203[.]0|198[.]51')::int as clear
             from audit_log where client_address is not null`,
          )
        ).rows,
    );
    const log = instance.logLines.join('\n');

    expect(row).toMatchObject({ rows: expect.toSatisfy((rows: number) => rows > 20), clear: 0 });
    expect(log).toContain('"endpoint":"/api/v1/projects"');
    expect(log).not.toMatch(/203\.0\.113|198\.51\.100|2001:db8/i);
  });
});
