import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { smokeTest } from '../../../scripts/deploy/smoke-test.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { type Answer, startMisbehavingServer } from '../../support/misbehaving-server.ts';
import { makeSelfSigned } from '../../support/self-signed.ts';
import { shortPatience, soonInVain } from './patience.ts';

const readiness = (status: 'ok' | 'unavailable') => ({
  status,
  checks: [{ name: 'database', status: status === 'ok' ? 'ok' : 'failed', latency_ms: Math.random() }],
});

/** Answers as the app: ready after `unready` requests for readiness, and then of version `version`. */
function app(version: string, unready = 0): Answer {
  let asked = 0;
  return ({ url }, response) => {
    const isReadiness = url === '/api/healthz';
    if (isReadiness) asked += 1;
    const ready = asked > unready;
    const body = isReadiness
      ? readiness(ready ? 'ok' : 'unavailable')
      : { status: 'ok', version, uptime_seconds: 1 };
    response.writeHead(!isReadiness || ready ? 200 : 503, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
}

describe('the smoke test', () => {
  it('passes when the app is ready and of the version that was deployed', async () => {
    await using server = await startMisbehavingServer(app('1.2.3'));
    const patience = shortPatience();

    await smokeTest({ apiUri: server.origin, version: '1.2.3' }, patience);

    expect(server.requests.map(({ url }) => url)).toEqual(['/api/healthz', '/healthz']);
    expect(patience.said).toEqual([]);
  });

  it('waits for an app that is not ready yet', async () => {
    await using server = await startMisbehavingServer(app('1.2.3', 3));
    const patience = shortPatience();

    await smokeTest({ apiUri: server.origin, version: '1.2.3' }, patience);

    expect(patience.said).toEqual([
      expect.stringMatching(/^waiting for http.+\/api\/healthz to be 200 \(503, database failed\)$/),
    ]);
  });

  it('waits for the new version to take the place of the old', async () => {
    let requests = 0;
    const [old, fresh] = [app('1.2.2'), app('1.2.3')];
    await using server = await startMisbehavingServer((...call) => {
      requests += 1;
      (requests > 4 ? fresh : old)(...call);
    });

    await smokeTest({ apiUri: server.origin, version: '1.2.3' }, shortPatience());

    expect(requests).toBeGreaterThan(4);
  });

  it.each<[string, Answer, RegExp]>([
    ['another version', app('1.2.2'), /version 1\.2\.3 at .+\/healthz \(200, version 1\.2\.2\)$/],
    ['503 for ever', app('1.2.3', 1e9), /\(503, database failed\)$/],
    ['the page of the platform', (_, response) => response.writeHead(404).end(), /to be 200 \(404\)$/],
    ['a redirect', (_, response) => response.writeHead(302, { location: '/' }).end(), /\(302\)$/],
    ['something endless', (_, response) => response.end('x'.repeat(5000)), /\(200 x{300}…\)$/],
    ['nothing', ({ socket }) => socket.destroy(), /^Waited .+ in vain for 127\.0\.0\.1:\d+ to answer/],
  ])('fails on %s, and shows the last answer', async (_, answer, reason) => {
    await using server = await startMisbehavingServer(answer);

    const work = smokeTest({ apiUri: server.origin, version: '1.2.3' }, shortPatience(soonInVain));

    await expect(work).rejects.toMatchObject({ name: 'LocalError' });
    await expect(work).rejects.toThrow(reason);
  });

  it('fails on a certificate that nobody vouches for', async () => {
    const { key, certificate } = makeSelfSigned();
    const server = createServer({ key, cert: certificate }, (_, response) => response.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;

    const work = smokeTest({ apiUri: `https://127.0.0.1:${port}`, version: '1' }, shortPatience(soonInVain));

    await expect(work).rejects.toThrow(/self-signed certificate/);
    server.close();
  });

  it('gives up an answer that hangs, and asks again', async () => {
    await using server = await startMisbehavingServer((request, response, number) => {
      if (number === 1) response.writeHead(200).write('{"status":');
      else app('1.2.3')(request, response, number);
    });
    const clock = fakeClock();
    const patience = shortPatience({ clock, everyMs: 5000, forMs: 60_000 });

    const work = smokeTest({ apiUri: server.origin, version: '1.2.3' }, patience);
    await expect.poll(() => server.requests.length).toBe(1);
    await clock.advance(30_000);
    await expect.poll(() => patience.said.length).toBe(1);
    await clock.advance(5000);
    await work;

    expect(patience.said).toEqual([expect.stringContaining('nothing came in time')]);
    expect(server.pending).toBe(0);
    expect(clock.timers).toBe(0);
  });

  it('stops when it is told to', async () => {
    await using server = await startMisbehavingServer(app('1.2.2'));
    const stop = new AbortController();

    const work = smokeTest(
      { apiUri: server.origin, version: '1.2.3' },
      shortPatience({ signal: stop.signal }),
    );
    await expect.poll(() => server.requests.length).toBeGreaterThan(1);
    stop.abort(new Error('enough'));

    await expect(work).rejects.toThrow('enough');
  });
});
