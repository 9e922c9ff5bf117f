import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { AppError, remainingMs, startDeadline } from '../../../src/lib/core/index.ts';
import { azureError, networkError, sqlError } from './failures.ts';
import { failing, failingForEver, settle, setUp, signal } from './set-up.ts';

describe('resilience.run: retries', () => {
  it('succeeds in silence', async () => {
    const { resilience, events } = setUp();

    const result = await resilience.run('blob', 'read', async () => 42, { signal });

    expect(result).toBe(42);
    expect(events).toEqual([]);
  });

  it('tries three times more, then says the dependency is unavailable', async () => {
    const { resilience, clock, of } = setUp();
    const error = azureError(503, 'ServerBusy');
    const unit = failingForEver(error);

    const result = await settle(resilience.run('blob', 'read', unit.run, { signal }), clock);

    expect(unit.tries).toBe(4);
    expect(result).toBeInstanceOf(AppError);
    expect(result).toMatchObject({ code: 'unavailable', retryAfterSeconds: 5, cause: error });
    expect((result as AppError).message).toBe('File storage is not available at the moment');
    expect(of('retry').map((event) => [event.attempt, event.delayMs])).toEqual([
      [1, 500],
      [2, 1000],
      [3, 2000],
    ]);
    expect(of('give_up')).toEqual([
      expect.objectContaining({
        reason: 'attempts',
        attempts: 4,
        level: 'error',
        status: 503,
        code: 'ServerBusy',
        errorType: 'RestError',
        error,
      }),
    ]);
  });

  it('lets the wish of the service win over its own wait', async () => {
    const { resilience, clock, of } = setUp();
    const unit = failing(azureError(429, '', { 'retry-after': '17' }));

    const result = await settle(resilience.run('table', 'insert', unit.run, { signal }), clock);

    expect(result).toBe('done');
    expect(of('retry')[0]?.delayMs).toBe(17_000);
  });

  it('gives up at once when the wait would outlast the deadline, and passes the wish on', async () => {
    const { resilience, clock, of } = setUp();
    using deadline = startDeadline(clock, 10_000);
    const unit = failing(azureError(503, '', { 'retry-after': '30' }));

    const result = await resilience.run('blob', 'read', unit.run, deadline).catch((error: unknown) => error);

    expect(result).toMatchObject({ code: 'unavailable', retryAfterSeconds: 30 });
    expect(unit.tries).toBe(1);
    expect(of('give_up')[0]?.reason).toBe('deadline');
  });

  it.each([
    ['an answer that blames the request', azureError(404), 'not_retriable'],
    ['a failure that repeating does not mend', azureError(501), 'not_retriable'],
  ])('throws %s unchanged after one try', async (_, error, reason) => {
    const { resilience, of } = setUp();
    const unit = failingForEver(error);

    const result = await resilience
      .run('blob', 'read', unit.run, { signal })
      .catch((thrown: unknown) => thrown);

    expect(result).toBe(error);
    expect(unit.tries).toBe(1);
    expect(of('give_up')[0]?.reason).toBe(reason);
  });

  it.each([[new TypeError('a bug')], [new AppError('conflict', 'taken')]])(
    'throws what is no error of the service unchanged and in silence: %s',
    async (error) => {
      const { resilience, events } = setUp();
      const unit = failingForEver(error);

      const result = await resilience
        .run('postgres', 'query', unit.run, { signal })
        .catch((thrown: unknown) => thrown);

      expect(result).toBe(error);
      expect([unit.tries, events]).toEqual([1, []]);
    },
  );

  it('does not repeat what must not be done twice, unless it surely was not done', async () => {
    const { resilience, clock, of } = setUp();
    const lost = failing(networkError('ECONNRESET'));
    const refused = failing(networkError('ECONNREFUSED'));

    const first = await settle(
      resilience.run('queue', 'send', lost.run, { signal, repeatable: false }),
      clock,
    );
    const second = await settle(
      resilience.run('queue', 'send', refused.run, { signal, repeatable: false }),
      clock,
    );

    expect(first).toMatchObject({ code: 'unavailable' });
    expect(of('give_up')[0]?.reason).toBe('not_repeatable');
    expect([lost.tries, second, refused.tries]).toEqual([1, 'done', 2]);
  });

  it('repeats a transaction that clashed, without counting it against the database', async () => {
    const { resilience, clock } = setUp({ breakerThreshold: 1, retries: 2 });
    const unit = failingForEver(sqlError('40001'));

    const result = await settle(resilience.run('postgres', 'transaction', unit.run, { signal }), clock);

    expect(result).toMatchObject({ code: 'unavailable' });
    expect(unit.tries).toBe(3);
    expect(resilience.states().find(({ name }) => name === 'postgres')?.state).toBe('closed');
  });

  it('says unavailable when our own pool is full, and neither retries nor counts it', async () => {
    const { resilience } = setUp({ breakerThreshold: 1 });
    const unit = failingForEver(new Error('timeout exceeded when trying to connect'));

    const result = await resilience
      .run('postgres', 'query', unit.run, { signal })
      .catch((error: unknown) => error);

    expect(result).toMatchObject({ code: 'unavailable' });
    expect(unit.tries).toBe(1);
    expect(resilience.states().every(({ state }) => state === 'closed')).toBe(true);
  });

  it('is granted no retries for calls that were not let through', async () => {
    const bulkhead = { bulkheadSize: 1, bulkheadQueue: 0 };
    const { resilience, clock, of } = setUp({ budgetMinimum: 0, budgetShare: 0.1, ...bulkhead });
    const gate = Promise.withResolvers<void>();
    const running = resilience.run('blob', 'read', () => gate.promise, { signal });
    for (let i = 0; i < 100; i++)
      await resilience.run('blob', 'read', failing().run, { signal }).catch(() => {});
    gate.resolve();
    await running;
    const unit = failingForEver(azureError(503));

    await settle(resilience.run('blob', 'read', unit.run, { signal }), clock);

    expect(of('rejected')).toHaveLength(100);
    expect(unit.tries).toBe(2);
  });

  it('stops retrying when the budget is used up', async () => {
    const { resilience, clock, of } = setUp({ breakerThreshold: 0, budgetMinimum: 2, budgetShare: 0 });
    const unit = failingForEver(azureError(503));

    await settle(resilience.run('blob', 'read', unit.run, { signal }), clock);

    expect(unit.tries).toBe(3);
    expect(of('give_up')[0]?.reason).toBe('budget');
  });
});

describe('resilience.run: time and cancellation', () => {
  it('takes what a try throws before it begins as any failure, and leaves nothing behind', async () => {
    const { resilience, clock } = setUp();
    const abort = new AbortController();
    const bug = new TypeError('a bug');
    const throwing = () => {
      throw bug;
    };

    const result = await resilience
      .run('blob', 'read', throwing, { signal: abort.signal })
      .catch((error: unknown) => error);

    expect(result).toBe(bug);
    expect(clock.timers).toBe(0);
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
  });

  it('leaves no listener on the caller’s signal, however a try ends', async () => {
    const { resilience, clock } = setUp();
    const { signal: lasting } = new AbortController();

    await resilience.run('blob', 'read', failing().run, { signal: lasting });
    await settle(
      resilience.run('blob', 'read', failingForEver(azureError(503)).run, { signal: lasting }),
      clock,
    );
    await settle(
      resilience.run('queue', 'read', () => new Promise(() => {}), { signal: lasting, timeoutMs: 10 }),
      clock,
    );

    expect(getEventListeners(lasting, 'abort')).toEqual([]);
    expect(clock.timers).toBe(0);
  });

  it('tells a try how much time its caller has left', async () => {
    const { resilience, clock } = setUp();
    using deadline = startDeadline(clock, 10_000);

    const left = await resilience.run('blob', 'read', async (own) => remainingMs(own), deadline);

    expect(left).toBe(10_000);
  });

  it('keeps the signal of a try that has ended from aborting later', async () => {
    const { resilience } = setUp();
    const abort = new AbortController();
    const own = await resilience.run('blob', 'read', async (trySignal) => trySignal, {
      signal: abort.signal,
    });

    abort.abort();

    expect(own.aborted).toBe(false);
  });

  it('cancels a try that takes too long, even one that does not listen, and tries again', async () => {
    const { resilience, clock, of } = setUp();
    const signals: AbortSignal[] = [];
    const hanging = (attempt: AbortSignal) => {
      signals.push(attempt);
      return signals.length === 1 ? new Promise<string>(() => {}) : Promise.resolve('second');
    };

    const result = await settle(resilience.run('blob', 'read', hanging, { signal, timeoutMs: 2_000 }), clock);

    expect(result).toBe('second');
    expect(signals.map((attempt) => attempt.aborted)).toEqual([true, false]);
    expect(of('retry')[0]?.error).toMatchObject({ name: 'AttemptTimeoutError', code: 'attempt_timeout' });
    expect(clock.timers).toBe(0);
  });

  it.each([[new Error('client has gone')], [new DOMException('gone', 'AbortError')], ['a text']])(
    'throws the reason of the caller as it is, during a try: %s',
    async (reason) => {
      const { resilience, clock, events } = setUp({ breakerThreshold: 1 });
      const abort = new AbortController();
      const run = resilience
        .run('blob', 'read', () => new Promise<never>(() => {}), { signal: abort.signal })
        .catch((error: unknown) => error);

      abort.abort(reason);

      expect(await run).toBe(reason);
      expect(events).toEqual([]);
      expect(resilience.states()[0]?.state).toBe('closed');
      expect(clock.timers).toBe(0);
    },
  );

  it('ends a wait at once when the caller aborts', async () => {
    const { resilience, clock } = setUp();
    const abort = new AbortController();
    const unit = failingForEver(azureError(503));
    const run = resilience
      .run('blob', 'read', unit.run, { signal: abort.signal })
      .catch((error: unknown) => error);
    await clock.advance(100);

    abort.abort(new Error('enough'));

    expect(await run).toEqual(new Error('enough'));
    expect([unit.tries, clock.timers]).toEqual([1, 0]);
  });

  it('does not begin under a signal that has aborted, whatever the breaker would say', async () => {
    const { resilience } = setUp({ breakerThreshold: 1, retries: 0 });
    const unit = failingForEver(azureError(503));
    const over = { signal: AbortSignal.abort(new Error('over')) };

    const closed = await resilience.run('blob', 'read', unit.run, over).catch((error: unknown) => error);
    await resilience.run('blob', 'read', unit.run, { signal }).catch(() => {});
    const open = await resilience.run('blob', 'read', unit.run, over).catch((error: unknown) => error);

    expect([closed, open]).toEqual([new Error('over'), new Error('over')]);
    expect(unit.tries).toBe(1);
  });
});
