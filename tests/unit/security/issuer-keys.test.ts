import { describe, expect, it } from 'vitest';
import { createIssuerKeys } from '../../../src/lib/security/issuer-keys.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { type IssuerKey, makeIssuerKey } from '../../support/jwt.ts';

const [first, second] = [makeIssuerKey('1'), makeIssuerKey('2', 'ES256')];
const minuteMs = 60_000;

const showing = (...keys: readonly IssuerKey[]) => ({
  status: 200,
  body: Buffer.from(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) })),
});

type Answer = ReturnType<typeof showing>;

/** An issuer that answers as told, and what is known of its keys. */
function setUp(answer: Answer | Error | Promise<Answer> = showing(first)) {
  const clock = fakeClock();
  const { signal } = new AbortController();
  const issuer = { answer, asked: 0, failures: [] as unknown[] };
  const find = createIssuerKeys(clock, {
    async fetchKeys({ timeoutMs, maxAnswerBytes }) {
      expect([timeoutMs, maxAnswerBytes]).toEqual([5_000, 65_536]);
      issuer.asked += 1;
      if (issuer.answer instanceof Error) throw issuer.answer;
      return issuer.answer;
    },
    onFailure: (error) => issuer.failures.push(error),
  });
  /** Whether the key is there, or what was thrown. */
  const has = (kid: string, alg = kid === '1' ? 'RS256' : 'ES256', until = signal) =>
    find({ alg, kid }, until).then(
      (key) => key !== undefined,
      (error: unknown) => error,
    );
  return { clock, issuer, has };
}

const down = new Error('no route to the issuer');
const unavailable = expect.objectContaining({ code: 'unavailable', status: 503, retryAfterSeconds: 5 });

describe('the keys of the issuer', () => {
  it('are fetched at the first token, once for all who wait', async () => {
    const { issuer, has } = setUp(showing(first, second));

    const found = await Promise.all([has('1'), has('2'), has('1'), has('2', 'RS256'), has('x')]);

    expect(found).toEqual([true, true, true, false, false]);
    expect(issuer.asked).toBe(1);
  });

  it('are kept for five minutes, and then renewed while nobody waits', async () => {
    const { clock, issuer, has } = setUp();
    await has('1');

    await clock.advance(5 * minuteMs - 1);
    await has('1');
    const askedBefore = issuer.asked;
    await clock.advance(1);
    issuer.answer = new Promise(() => {});

    expect(await Promise.all([has('1'), has('1')])).toEqual([true, true]);
    expect([askedBefore, issuer.asked]).toEqual([1, 2]);
  });

  it('that the issuer has taken back do not count any longer after ten minutes', async () => {
    const { clock, issuer, has } = setUp(showing(first, second));
    await has('1');
    issuer.answer = showing(second);

    await clock.advance(10 * minuteMs);

    expect(await has('1')).toBe(false);
    expect(await has('2')).toBe(true);
    expect(issuer.asked).toBe(2);
  });

  it('are renewed by the wall clock too, after a machine has slept', async () => {
    const { clock, issuer, has } = setUp();
    await has('1');
    issuer.answer = showing(second);

    clock.jump(10 * minuteMs);

    expect(await has('1')).toBe(false);
  });

  it('are fetched again at once for one that is not among them, however fresh they are', async () => {
    const { issuer, has } = setUp();
    await has('1');
    issuer.answer = showing(second);

    const found = await Promise.all([has('2'), has('2'), has('1')]);

    expect(found).toEqual([true, true, true]);
    expect(await has('1')).toBe(false);
    expect(issuer.asked).toBe(2);
  });

  it('are fetched for those that nobody knows every thirty seconds at most', async () => {
    const { clock, issuer, has } = setUp();
    await has('1');
    await clock.advance(minuteMs);
    await has('made up');
    issuer.answer = showing(second);

    const madeUp = await Promise.all(Array.from({ length: 100 }, (_, index) => has(`made up ${index}`)));
    await clock.advance(29_999);
    const tooEarly = await has('2');
    const askedThen = issuer.asked;
    await clock.advance(1);

    expect(new Set([...madeUp, tooEarly])).toEqual(new Set([false]));
    expect(await has('2')).toBe(true);
    expect([askedThen, issuer.asked]).toEqual([2, 3]);
  });

  it('are looked at again by who began to look while they were fetched', async () => {
    const { clock, issuer, has } = setUp();
    await has('1');
    await clock.advance(minuteMs);
    const { promise, resolve } = Promise.withResolvers<Answer>();
    issuer.answer = promise;

    const early = has('2');
    await clock.advance(0);
    resolve(showing(second));
    const during = Array.from({ length: 20 }, () => Promise.resolve().then(() => has('2')));

    expect(new Set(await Promise.all([early, ...during]))).toEqual(new Set([true]));
    expect(issuer.asked).toBe(2);
  });
});

describe('an issuer that cannot be asked', () => {
  it('makes nobody a liar: 503 as long as no key was ever fetched, and it is asked once a second', async () => {
    const { clock, issuer, has } = setUp(down);

    const found = [await has('1'), await has('x')];
    await clock.advance(999);
    found.push(await has('1'));
    const askedThen = issuer.asked;
    issuer.answer = showing(first);
    await clock.advance(1);
    found.push(await has('1'));
    issuer.answer = showing(second);

    expect(found).toEqual([unavailable, unavailable, unavailable, true]);
    expect(await has('2')).toBe(true);
    expect([askedThen, issuer.asked]).toEqual([1, 3]);
    expect(issuer.failures).toEqual([down]);
  });

  it('is done without for a day, and asked every thirty seconds meanwhile', async () => {
    const { clock, issuer, has } = setUp();
    await has('1');
    issuer.answer = down;

    await clock.advance(10 * minuteMs);
    const found = [await has('1'), await has('1')];
    const askedThen = issuer.asked;
    await clock.advance(30_000);
    found.push(await has('1'));
    await clock.advance(24 * 60 * minuteMs - 10 * minuteMs - 30_001);
    found.push(await has('1'));
    await clock.advance(1);

    expect(found).toEqual([true, true, true, true]);
    expect(await has('1')).toEqual(unavailable);
    expect([askedThen, issuer.asked]).toEqual([2, 4]);
  });

  it('is waited for once by those whose key is old, and not again every time it is asked', async () => {
    const { clock, issuer, has } = setUp();
    await has('1');
    issuer.answer = new Promise(() => {});
    await clock.advance(10 * minuteMs);

    const waited = has('1');
    await clock.advance(10_000);
    await clock.advance(30_000);
    const afterwards = await Promise.all([waited, has('1'), has('1')]);

    expect(afterwards).toEqual([true, true, true]);
    expect(issuer.asked).toBe(3);
  });

  it('is waited for again by whoever comes long after it has failed: a key may have been taken back', async () => {
    const { clock, issuer, has } = setUp();
    await has('1');
    issuer.answer = down;
    await clock.advance(10 * minuteMs);
    await has('1');
    issuer.answer = showing(second);

    await clock.advance(10 * minuteMs);

    expect(await has('1')).toBe(false);
  });

  it('leaves open whether a key that is not known is one of its new ones', async () => {
    const { clock, issuer, has } = setUp();
    await has('1');
    issuer.answer = down;
    await clock.advance(minuteMs);

    const found = [await has('2'), await has('2'), await has('1')];

    expect(found).toEqual([unavailable, unavailable, true]);
    expect(issuer.asked).toBe(2);
  });

  it('is waited for ten seconds at most', async () => {
    const { clock, has } = setUp(new Promise<Answer>(() => {}));

    const asking = has('1');
    await clock.advance(10_000);

    expect(await asking).toEqual(unavailable);
    expect(clock.timers).toBe(0);
  });

  it('is waited for no longer than a client does, who does not end it for the others', async () => {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const { issuer, has } = setUp(promise);
    const impatient = new AbortController();

    const [left, stayed] = [has('1', 'RS256', impatient.signal), has('1')];
    impatient.abort(down);
    resolve(showing(first));

    expect(await left).toBe(down);
    expect(await stayed).toBe(true);
    expect(issuer.asked).toBe(1);
  });

  it.each<[string, Answer]>([
    ['another status', { ...showing(first), status: 404 }],
    ['a redirect', { ...showing(first), status: 302 }],
    ['a page', { status: 200, body: Buffer.from('<html>') }],
    ['nothing', { status: 200, body: Buffer.of() }],
    ['no list', { status: 200, body: Buffer.from('{"keys":{"a":1}}') }],
    ['a list of no keys', { status: 200, body: Buffer.from('{"keys":["a"]}') }],
    ['no UTF-8', { status: 200, body: Buffer.of(0xff) }],
  ])('is one that answers with %s', async (_, answer) => {
    const { clock, issuer, has } = setUp(answer);

    const atFirst = await has('1');
    issuer.answer = showing(first);
    await clock.advance(1_000);
    await has('1');
    issuer.answer = answer;
    await clock.advance(11 * minuteMs);

    expect(atFirst).toEqual(unavailable);
    expect(await has('1')).toBe(true);
    expect(issuer.failures).toHaveLength(2);
  });

  it('is believed when it shows no key at all', async () => {
    const { clock, issuer, has } = setUp();
    await has('1');
    issuer.answer = showing();

    await clock.advance(10 * minuteMs);

    expect(await has('1')).toBe(false);
  });
});
