import { describe, expect, it } from 'vitest';
import { type CriticalCheck, createReadiness } from '../../../src/lib/health/readiness.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const logger = { debug() {}, info() {}, warning() {}, error() {}, child: () => logger };

function setUp(...pings: CriticalCheck['ping'][]) {
  const clock = fakeClock();
  const checks = pings.map((ping, index) => ({ name: `check ${index}`, ping }));
  return { clock, ready: createReadiness({ clock, logger, checks }) };
}

const signal = new AbortController().signal;

describe('readiness', () => {
  it('is ok when every check passes', async () => {
    const { ready } = setUp(
      async () => {},
      async () => {},
    );

    expect(await ready(signal)).toMatchObject({ status: 'ok', checks: [{ status: 'ok' }, { status: 'ok' }] });
  });

  it('is unavailable when one fails, and tells nothing of why', async () => {
    const { ready } = setUp(
      async () => {},
      () => Promise.reject(new Error('host db.internal')),
    );

    const readiness = await ready(signal);

    expect(readiness).toMatchObject({
      status: 'unavailable',
      checks: [{ status: 'ok' }, { status: 'failed' }],
    });
    expect(JSON.stringify(readiness)).not.toContain('db.internal');
  });

  it('does not wait for a check that never ends', async () => {
    const { clock, ready } = setUp(() => new Promise(() => {}));

    const asking = ready(signal);
    await clock.advance(3_000);

    expect(await asking).toMatchObject({
      status: 'unavailable',
      checks: [{ status: 'failed', latency_ms: 3_000 }],
    });
    expect(clock.timers).toBe(0);
  });
});
