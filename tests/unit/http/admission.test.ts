import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/core/index.ts';
import { anybody, type Endpoint, scope } from '../../../src/lib/http/endpoint.ts';
import { createRateLimiter } from '../../../src/lib/http/index.ts';
import { currentContext } from '../../../src/lib/observability/index.ts';
import type { Authenticate, Caller, GuardCredentials } from '../../../src/lib/security/index.ts';
import { serve } from './served.ts';

const caller: Caller = { id: 'key:1', scopes: new Set(['files:read']), projectIds: [] };
/** `good` is a key. */
const authenticate: Authenticate = async ({ apiKey }) => {
  if (apiKey === 'good') return caller;
  throw new AppError('unauthorized', 'The credential is not valid');
};

function declared(changes: Partial<Endpoint> = {}): Endpoint {
  return {
    name: 'files-get',
    method: 'GET',
    route: 'api/v1/files',
    summary: 'Show files',
    access: scope('files:read'),
    responses: { 200: undefined },
    handle: () => ({ address: currentContext()?.clientAddress }),
    ...changes,
  } as Endpoint;
}

/** What the guard was asked, and what it lets through. */
function serveLimited(endpoint: Endpoint, options: Partial<Parameters<typeof serve>[1]> = {}) {
  const asked: unknown[] = [];
  const guard: GuardCredentials = async (credentials, look) => {
    asked.push(credentials.apiKey ?? credentials.authorization);
    if (credentials.authorization === 'Bearer blocked') throw new AppError('too_many_failures', 'Wait');
    return await look();
  };
  const served = serve(endpoint, {
    authenticate,
    isProduction: true,
    limits: (clock, metrics) => ({ rate: createRateLimiter(clock, metrics), guard }),
    ...options,
  });
  return served.then((one) => Object.assign(one, { asked }));
}

const from = (address: string, key = '') => ({
  headers: { 'x-forwarded-for': address, ...(key !== '' && { 'x-api-key': key }) },
});

/** The statuses of so many requests, one after the other. */
async function statuses(ask: () => Promise<{ status: number }>, requests: number): Promise<number[]> {
  const all: number[] = [];
  for (let index = 0; index < requests; index++) all.push((await ask()).status);
  return all;
}

const times = (status: number, count: number) => Array<number>(count).fill(status);

describe('a request without a credential', () => {
  it('is counted for its address, and refused before anybody is asked', async () => {
    await using served = await serveLimited(declared());

    const first = await served.ask(from('192.0.2.1'));
    const others = await statuses(() => served.ask(from('192.0.2.1')), 60);
    const refused = await served.ask(from('192.0.2.1'));
    const elsewhere = await served.ask(from('192.0.2.2'));

    expect(first).toMatchObject({
      status: 401,
      headers: { ratelimit: '"address";r=59;t=1', 'ratelimit-policy': '"address";q=60;w=60' },
    });
    expect(others).toEqual([...times(401, 59), 429]);
    expect(refused).toMatchObject({
      status: 429,
      headers: { ratelimit: '"address";r=0;t=1', 'retry-after': '1' },
    });
    expect(JSON.parse(refused.text)).toMatchObject({ code: 'rate_limited' });
    expect(elsewhere.status).toBe(401);
    expect(served.asked).toHaveLength(61);
    expect(served.lines().at(-2)).toMatchObject({ status: 429, code: 'rate_limited' });
  });

  it('is counted where anybody may call, whatever it carries', async () => {
    await using served = await serveLimited(declared({ access: anybody }));

    const all = await statuses(() => served.ask(from('192.0.2.1', 'good')), 61);

    expect(all).toEqual([...times(200, 60), 429]);
  });

  it('shares the limit of its IPv6 network', async () => {
    await using served = await serveLimited(declared({ access: anybody }));
    let last = 0;

    const all = await statuses(() => served.ask(from(`[2001:db8:1:2::${++last}]:443`)), 61);

    expect(all).toEqual([...times(200, 60), 429]);
    expect((await served.ask(from('[2001:db8:1:3::1]:443'))).status).toBe(200);
  });

  it('is never refused where there is no limit, nor is a preflight', async () => {
    await using served = await serveLimited(declared({ access: anybody, limit: 'none' }));

    const gets = await statuses(() => served.ask(from('192.0.2.1')), 100);
    const preflights = await statuses(() => served.ask({ method: 'OPTIONS', ...from('192.0.2.1') }), 100);
    const { headers } = await served.ask(from('192.0.2.1'));

    expect([...gets, ...preflights]).toEqual([...times(200, 100), ...times(204, 100)]);
    expect(headers).not.toHaveProperty('ratelimit');
  });
});

describe('a request with a credential', () => {
  it('is counted for its caller alone when it is good, also for HEAD and without the scope', async () => {
    await using served = await serveLimited(declared());
    await using other = await serveLimited(declared({ access: scope('admin') }));

    const all = await statuses(() => served.ask({ method: 'HEAD', ...from('192.0.2.1', 'good') }), 601);
    const without = await other.ask(from('192.0.2.1', 'good'));

    expect(all).toEqual([...times(200, 600), 429]);
    expect((await served.ask(from('192.0.2.1'))).status).toBe(401);
    expect(without).toMatchObject({ status: 403, headers: { ratelimit: '"caller";r=599;t=1' } });
  });

  it('is counted for its address when it is bad, and does not shut out the good ones there', async () => {
    await using served = await serveLimited(declared());

    const bad = await statuses(() => served.ask(from('192.0.2.1', 'bad')), 61);
    const good = await served.ask(from('192.0.2.1', 'good'));

    expect(bad).toEqual([...times(401, 60), 429]);
    expect(good.status).toBe(200);
  });

  it('is asked nobody about while its caller has nothing left, and about others still', async () => {
    const asked: (string | undefined)[] = [];
    const knowing: Authenticate = async ({ apiKey }) => {
      asked.push(apiKey);
      if (apiKey === 'worse') throw new AppError('unauthorized', 'The credential is not valid');
      return { ...caller, id: apiKey === 'good' ? 'key:1' : 'key:2' };
    };
    await using served = await serveLimited(declared(), { authenticate: knowing });
    const ask = (key: string) => served.ask(from('192.0.2.1', key));
    await statuses(() => ask('good'), 601);
    asked.length = 0;

    const refused = await statuses(() => ask('good'), 10);
    const { headers } = await ask('good');
    const others = [(await ask('other')).status, (await ask('worse')).status];

    expect([refused, others, asked]).toEqual([times(429, 10), [200, 401], ['other', 'worse']]);
    expect(headers).toMatchObject({ ratelimit: '"caller";r=0;t=1', 'retry-after': '1' });
    await served.clock.advance(1_000);
    asked.length = 0;
    expect(await statuses(() => ask('good'), 11)).toEqual([...times(200, 10), 429]);
    expect(asked).toEqual(Array(10).fill('good'));
  });

  it('may go on with the rest when its caller has no uploads left', async () => {
    let limit: 'uploads' | undefined = 'uploads';
    const endpoint = Object.defineProperty(declared(), 'limit', { get: () => limit });
    await using served = await serveLimited(endpoint);

    const uploads = await statuses(() => served.ask(from('192.0.2.1', 'good')), 122);
    limit = undefined;
    const { status, headers } = await served.ask(from('192.0.2.1', 'good'));

    expect(uploads).toEqual([...times(200, 120), ...times(429, 2)]);
    expect([status, headers['ratelimit']]).toEqual([200, '"caller";r=479;t=1']);
  });

  it('is counted twice when it uploads', async () => {
    await using served = await serveLimited(declared({ limit: 'uploads' }));

    const all = await statuses(() => served.ask(from('192.0.2.1', 'good')), 121);
    const { headers } = await served.ask(from('192.0.2.1', 'good'));

    expect(all).toEqual([...times(200, 120), 429]);
    expect(headers).toMatchObject({
      ratelimit: '"caller";r=480;t=1, "uploads";r=0;t=1',
      'ratelimit-policy': '"caller";q=600;w=60, "uploads";q=120;w=60',
    });
  });

  it('is not looked at while its owner is held back, the token of scrapers included', async () => {
    const scrape = { access: { kind: 'scrape', scope: 'monitoring:read' }, limit: 'none' } as const;
    await using served = await serveLimited(declared(scrape), {
      authenticate: () => Promise.reject(new Error('nobody is asked')),
    });

    const blocked = await served.ask({ headers: { authorization: 'Bearer blocked' } });
    const scraper = await served.ask({ headers: { authorization: 'Bearer scraper' } });

    expect([blocked.status, JSON.parse(blocked.text).code]).toEqual([429, 'too_many_failures']);
    expect(scraper.status).toBe(200);
    expect(served.asked).toEqual(['Bearer blocked', 'Bearer scraper']);
  });
});

describe('the address of a client', () => {
  const forged = { headers: { 'x-forwarded-for': '198.51.100.1, 203.0.113.7:50123, 192.0.2.9:443' } };

  it.each([
    [0, '127.0.0.1'],
    [1, '192.0.2.9'],
    [2, '203.0.113.7'],
    [4, '127.0.0.1'],
  ])('is what %d proxies vouch for, and nowhere in the log', async (trustedProxyHops, address) => {
    await using served = await serve(declared({ access: anybody }), { trustedProxyHops });

    const { text } = await served.ask(forged);

    expect(JSON.parse(text)).toEqual({ address });
    expect(JSON.stringify(served.lines())).not.toContain(address);
  });
});
