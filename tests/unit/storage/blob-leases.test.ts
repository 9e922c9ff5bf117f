import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../support/fake-clock.ts';
import type { Answer, MisbehavingServer } from '../../support/misbehaving-server.ts';
import { openBadService, refuse, until } from './bad-service.ts';

const { signal } = new AbortController();
const idle = async () => {};

const actionOf = ({ headers }: Pick<IncomingMessage, 'headers'>) =>
  String(headers['x-ms-lease-action'] ?? '');

/** Does what is asked, and says so as the service does. */
const grant: Answer = (request, response) => {
  const status = ['renew', 'release'].includes(actionOf(request)) ? 200 : 201;
  request.resume().on('end', () => response.writeHead(status, { etag: '"0x1"' }).end());
};

/** Answers each kind of request in its own way, one answer after the other; the last one stays. */
function answerBy(answers: Readonly<Record<string, readonly Answer[]>>): Answer {
  const asked = new Map<string, number>();
  return (request, response, number) => {
    const kind = kindOf(request);
    const times = asked.get(kind) ?? 0;
    asked.set(kind, times + 1);
    const ways = answers[kind] ?? [grant];
    (ways[Math.min(times, ways.length - 1)] ?? grant)(request, response, number);
  };
}

function kindOf(request: Pick<IncomingMessage, 'headers' | 'url'>): string {
  if (request.url?.includes('restype=container')) return 'create';
  return actionOf(request) || 'put';
}

const kindsOf = ({ requests }: MisbehavingServer) => requests.map(kindOf);

/** Does what is asked, but its answer is lost. */
const loseAnswer: Answer = (request) => request.resume().on('end', () => request.socket.destroy());

describe('a lock that is asked for', () => {
  it('asks for a lease of a minute under an id of its own, and gives it back', async () => {
    await using service = await openBadService(grant);

    expect(await service.locks.withLease('a', idle, { signal })).toBe(true);

    const [acquire, release] = service.server.requests;
    expect(kindsOf(service.server)).toEqual(['acquire', 'release']);
    expect(acquire).toMatchObject({
      method: 'PUT',
      url: expect.stringContaining('/account/locks/a?comp=lease'),
    });
    expect(acquire?.headers['x-ms-lease-duration']).toBe('60');
    expect(acquire?.headers['x-ms-proposed-lease-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(release?.headers['x-ms-lease-id']).toBe(acquire?.headers['x-ms-proposed-lease-id']);
  });

  it('asks under the same id when the answer was lost, or it would lock itself out', async () => {
    await using service = await openBadService(answerBy({ acquire: [loseAnswer, grant] }));

    expect(await service.locks.withLease('a', idle, { signal })).toBe(true);

    const ids = service.server.requests
      .filter((request) => actionOf(request) === 'acquire')
      .map(({ headers }) => headers['x-ms-proposed-lease-id']);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });

  it.each(['LeaseAlreadyPresent', 'LeaseIsBreakingAndCannotBeAcquired'])(
    'is taken when the service says %s, which is no failure',
    async (code) => {
      await using service = await openBadService(refuse(409, code));

      expect(await service.locks.withLease('a', idle, { signal })).toBe(false);
      expect(kindsOf(service.server)).toEqual(['acquire']);
      expect(service.events).toEqual([]);
    },
  );

  it('is not taken for held because of another conflict', async () => {
    await using service = await openBadService(refuse(409, 'ContainerBeingDeleted'));

    await expect(service.locks.withLease('a', idle, { signal })).rejects.toMatchObject({ code: 'upstream' });
  });

  it.each([
    ['is made', grant],
    ['was made by another in the meantime', refuse(409, 'BlobAlreadyExists')],
    ['was made and taken by another in the meantime', refuse(412, 'LeaseIdMissing')],
  ])('has a blob that %s', async (_, put) => {
    await using service = await openBadService(
      answerBy({ acquire: [refuse(404, 'BlobNotFound'), grant], put: [put] }),
    );

    expect(await service.locks.withLease('a', idle, { signal })).toBe(true);
    expect(kindsOf(service.server)).toEqual(['acquire', 'put', 'acquire', 'release']);
    expect(service.server.requests[1]?.headers).toMatchObject({
      'if-none-match': '*',
      'content-length': '0',
    });
  });

  it('has a blob whose maker may have taken it', async () => {
    await using service = await openBadService(
      answerBy({
        acquire: [refuse(404, 'BlobNotFound'), refuse(409, 'LeaseAlreadyPresent')],
        put: [refuse(412, 'LeaseIdMissing')],
      }),
    );

    expect(await service.locks.withLease('a', idle, { signal })).toBe(false);
  });

  it('has a container that is made when it is missing', async () => {
    const missing = refuse(404, 'ContainerNotFound');
    await using service = await openBadService(
      answerBy({ acquire: [missing, refuse(404, 'BlobNotFound'), grant] }),
    );

    expect(await service.locks.withLease('a', idle, { signal })).toBe(true);
    expect(kindsOf(service.server)).toEqual(['acquire', 'create', 'acquire', 'put', 'acquire', 'release']);
  });

  it('may not be made', async () => {
    await using service = await openBadService(
      answerBy({
        acquire: [refuse(404, 'BlobNotFound')],
        put: [refuse(403, 'AuthorizationPermissionMismatch')],
      }),
    );

    await expect(service.locks.withLease('a', idle, { signal })).rejects.toMatchObject({ code: 'upstream' });
  });

  it('is asked for four times, no more, while the service is busy', async () => {
    await using service = await openBadService(refuse(503, 'ServerBusy'));

    const result = await service.locks.withLease('a', idle, { signal }).catch((error: unknown) => error);

    expect(result).toMatchObject({ name: 'AppError', code: 'unavailable' });
    expect(service.server.requests).toHaveLength(4);
  });

  it('ends at once with the reason of the abort when the service is silent', async () => {
    await using service = await openBadService(() => {});
    const abort = new AbortController();
    const result = service.locks
      .withLease('a', idle, { signal: abort.signal })
      .catch((error: unknown) => error);
    await until(() => service.server.requests.length === 1);

    abort.abort(new Error('enough'));

    expect(await result).toEqual(new Error('enough'));
    await until(() => service.server.pending === 0);
  });
});

/** A lock that is held on a service that behaves as told, under a clock that stands still. */
async function hold(answers: Readonly<Record<string, readonly Answer[]>>) {
  const clock = fakeClock({ random: () => 0 });
  const service = await openBadService(answerBy(answers), { clock });
  const begun = Promise.withResolvers<AbortSignal>();
  const ended = Promise.withResolvers<void>();
  const work = (held: AbortSignal) => {
    begun.resolve(held);
    return ended.promise;
  };
  const outcome = service.locks.withLease('a', work, { signal }).catch((error: unknown) => error);
  const renewals = () => service.server.requests.filter((request) => actionOf(request) === 'renew');
  return {
    clock,
    service,
    begun: begun.promise,
    renewals,
    end: () => {
      ended.resolve();
      return outcome;
    },
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

describe('a lock that is held', () => {
  it('counts its time from before it was asked for', async () => {
    const late = Promise.withResolvers<void>();
    await using lock = await hold({
      acquire: [(...call) => void late.promise.then(() => grant(...call))],
    });
    await until(() => lock.service.server.requests.length === 1);

    await lock.clock.advance(4_000);
    late.resolve();
    await lock.begun;
    // 56 s are left, 51 s of them to be used: half of those is over 29.5 s after the start.
    await lock.clock.advance(25_499);
    const early = lock.renewals().length;
    await lock.clock.advance(1);

    await until(() => lock.renewals().length === 1);
    expect(early).toBe(0);
    expect(await lock.end()).toBe(true);
  });

  it('is renewed under its id, and again when the answer was lost', async () => {
    await using lock = await hold({ renew: [loseAnswer, refuse(500, 'InternalError'), grant] });
    const held = await lock.begun;

    await lock.clock.advance(27_500);
    for (const tries of [1, 2]) {
      await until(() => lock.renewals().length === tries);
      await until(() => lock.service.events.length === tries);
      await lock.clock.advance(0);
    }
    await until(() => lock.renewals().length === 3);

    const [acquire] = lock.service.server.requests;
    const ids = new Set(lock.renewals().map(({ headers }) => headers['x-ms-lease-id']));
    expect(ids).toEqual(new Set([acquire?.headers['x-ms-proposed-lease-id']]));
    expect(held.aborted).toBe(false);
    expect(await lock.end()).toBe(true);
  });

  it.each([
    [409, 'LeaseIdMismatchWithLeaseOperation'],
    [409, 'LeaseIsBrokenAndCannotBeRenewed'],
    [412, 'LeaseLost'],
    [404, 'BlobNotFound'],
  ])('is lost when its renewal meets %i %s', async (status, code) => {
    await using lock = await hold({ renew: [refuse(status, code)] });
    const held = await lock.begun;

    await lock.clock.advance(27_500);
    await until(() => held.aborted);

    expect(held.reason).toMatchObject({ name: 'AppError', code: 'conflict' });
    expect(lock.renewals()).toHaveLength(1);
    expect(await lock.end()).toBe(held.reason);
  });

  it('is not lost yet when its renewal is forbidden, but in the end', async () => {
    await using lock = await hold({ renew: [refuse(403, 'AuthorizationPermissionMismatch')] });
    const held = await lock.begun;

    await lock.clock.advance(27_500);
    await until(() => lock.service.events.length === 1);
    const afterFirst = held.aborted;
    await lock.clock.advance(27_500);
    await until(() => held.aborted);

    expect(afterFirst).toBe(false);
    expect(held.reason).toMatchObject({ code: 'unavailable' });
    await lock.end();
  });

  it('is kept while the breaker of other blobs is open, which lasts longer than a lease', async () => {
    await using lock = await hold({ put: [refuse(503, 'ServerBusy')] });
    const held = await lock.begun;
    const { blobs, resilience } = lock.service;
    const failing = Array.from({ length: 5 }, () => blobs.exists('a', { signal }).catch(() => {}));
    const isOpen = () => resilience.states().some(({ name, state }) => name === 'blob' && state === 'open');
    await until(isOpen);

    await lock.clock.advance(27_500);
    await until(() => held.aborted || lock.renewals().length === 1);

    expect([isOpen(), lock.renewals().length]).toEqual([true, 1]);
    expect(await lock.end()).toBe(true);
    await Promise.all(failing);
  });

  it.each([
    ['was lost', loseAnswer],
    ['says that it had ended', grant],
  ])('may be given back when the answer to it %s', async (_, first) => {
    await using service = await openBadService(
      answerBy({ release: [first, refuse(409, 'LeaseIdMismatchWithLeaseOperation')] }),
    );

    expect(await service.locks.withLease('a', idle, { signal })).toBe(true);
    expect(service.events.filter(({ type }) => type === 'give_up')).toEqual([]);
  });
});
