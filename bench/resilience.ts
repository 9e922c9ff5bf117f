import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import {
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleAll,
  retry,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import CircuitBreaker from 'opossum';
import pRetry from 'p-retry';
import { startDeadline, systemClock } from '../src/lib/core/index.ts';
import { createResilience } from '../src/lib/resilience/index.ts';
import { median } from './scratch-postgres.ts';

/*
 * `npm run bench:resilience`: what a call that goes well costs under our policies, and under the libraries somebody would
 * take otherwise, as a table for docs/performance.md. All take turns in one run, so that they share the machine's moods.
 */

const callsPerRound = 20_000;
const rounds = 25;

type Call = () => Promise<unknown>;

const work = async (_signal: AbortSignal) => 'done';
/** Callers have a deadline; each candidate has its own, so that none pays for what another hangs on it. */
const newSignal = () => startDeadline(systemClock, 220_000).signal;

const resilience = createResilience({ clock: systemClock });
const cockatiel = wrap(
  retry(handleAll, { maxAttempts: 3, backoff: new ExponentialBackoff({ maxDelay: 8_000 }) }),
  circuitBreaker(handleAll, { halfOpenAfter: 60_000, breaker: new ConsecutiveBreaker(5) }),
  timeout(30_000, TimeoutStrategy.Aggressive),
);
/** The arrangement somebody would otherwise write: retries inside a breaker with a time limit. */
const opossumAround = (tryOnce: (signal: AbortSignal) => Promise<unknown>): Call => {
  const signal = newSignal();
  const breaker = new CircuitBreaker(
    () => pRetry(() => tryOnce(signal), { retries: 3, maxTimeout: 8_000, signal }),
    { timeout: 30_000, resetTimeout: 60_000, capacity: 10 },
  );
  breakers.push(breaker);
  return () => breaker.fire();
};
const breakers: CircuitBreaker[] = [];
const ourSignal = newSignal();
const cockatielSignal = newSignal();

const candidates: readonly (readonly [name: string, call: Call])[] = [
  ['`resilience.run`', () => resilience.run('blob', 'read', work, { signal: ourSignal })],
  ['cockatiel: retry, breaker, timeout', () => cockatiel.execute(({ signal }) => work(signal))],
  [
    "cockatiel, with the caller's signal",
    () => cockatiel.execute(({ signal }) => work(signal), cockatielSignal),
  ],
  ['opossum (breaker, timeout) around p-retry', opossumAround(work)],
  // Its time limit alone leaves the work running, unseen.
  [
    'opossum around p-retry, each try with a signal of its own',
    opossumAround((signal) => work(AbortSignal.any([signal, AbortSignal.timeout(30_000)]))),
  ],
  ['the work alone', () => work(ourSignal)],
];

const samples = new Map<string, number[]>(candidates.map(([name]) => [name, []]));
for (let round = -3; round < rounds; round++) {
  for (const [name, call] of candidates) {
    const microseconds = await measure(call);
    if (round >= 0) samples.get(name)?.push(microseconds);
  }
}
for (const breaker of breakers) breaker.shutdown();

const medians = candidates.map(([name]) => ({ name, microseconds: median(samples.get(name) ?? []) }));
const ours = medians[0]?.microseconds ?? Number.NaN;
console.log(
  `Node.js ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}; ${callsPerRound.toLocaleString('en')} calls a round, one after the other, medians of ${rounds} rounds.\n`,
);
console.log('| a call that goes well | time | ours takes |');
console.log('|---|---|---|');
for (const { name, microseconds } of medians) {
  console.log(`| ${name} | ${microseconds.toFixed(2)} µs | ${(ours / microseconds).toFixed(2)} × |`);
}

/** Microseconds a call, one after the other. */
async function measure(call: Call): Promise<number> {
  globalThis.gc?.();
  const startedMs = performance.now();
  for (let i = 0; i < callsPerRound; i++) await call();
  return ((performance.now() - startedMs) * 1000) / callsPerRound;
}
