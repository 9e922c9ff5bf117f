import { describe, expect, it } from 'vitest';
import { type CriticalCheck, createReadiness } from '../../../src/lib/health/readiness.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const logger = { debug() {}, info() {}, warning() {}, error() {}, child: () => logger };

function setUp(...pings: CriticalCheck['ping'][]) {
  const clock = fakeClock();
  const checks = pings.map((ping, index) => ({ name: `check ${index}`, ping }));
  return { clock, ready: createReadiness({ clock, logger, checks, isStopping: () => false }) };
}

describe('readiness', () => {
  it('is ok when every check passes', async () => {
    const { ready } = setUp(
      async () => {},
      async () => {},
    );

    expect(await ready()).toMatchObject({ status: 'ok', checks: [{ status: 'ok' }, { status: 'ok' }] });
  });

  it('is unavailable when one fails, and tells nothing of why', async () => {
    const { ready } = setUp(
      async () => {},
      () => Promise.reject(new Error('host db.internal')),
    );

    const readiness = await ready();

    expect(readiness).toMatchObject({
      status: 'unavailable',
      checks: [{ status: 'ok' }, { status: 'failed' }],
    });
    expect(JSON.stringify(readiness)).not.toContain('db.internal');
  });

  it('does not wait for a check that never ends', async () => {
    const { clock, ready } = setUp(() => new Promise(() => {}));

    const asking = ready();
    await clock.advance(3_000);

    expect(await asking).toMatchObject({
      status: 'unavailable',
      checks: [{ status: 'failed', latency_ms: 3_000 }],
    });
    expect(clock.timers).toBe(0);
  });

  it('is unavailable at the end of the process, whatever its dependencies say', async () => {
    const ping = async () => expect.unreachable();
    const ready = createReadiness({
      clock: fakeClock(),
      logger,
      checks: [{ name: 'database', ping }],
      isStopping: () => true,
    });

    expect(await ready()).toEqual({ status: 'unavailable', checks: [] });
  });

  it('asks once for all who ask at the same time', async () => {
    let pings = 0;
    const { ready } = setUp(async () => {
      pings += 1;
    });

    await Promise.all([ready(), ready(), ready()]);
    await ready();

    expect(pings).toBe(2);
  });
});
