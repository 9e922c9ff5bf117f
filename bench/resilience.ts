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

const callsPerRound = 5_000;
const rounds = 101;
/** Until the compiler has done its work. */
const warmUps = 5;

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
const [ours, cockatiels, opossums] = [newSignal(), newSignal(), newSignal()];
/** Retries inside a breaker with a time limit, which does not reach the work: what hangs goes on unseen. */
const opossum = new CircuitBreaker(
  () => pRetry(() => work(opossums), { retries: 3, maxTimeout: 8_000, signal: opossums }),
  { timeout: 30_000, resetTimeout: 60_000, capacity: 10 },
);

const candidates: readonly (readonly [name: string, call: Call])[] = [
  ['`resilience.run`', () => resilience.run('blob', 'read', work, { signal: ours })],
  ['cockatiel: retry, breaker, timeout', () => cockatiel.execute(({ signal }) => work(signal))],
  ["cockatiel, with the caller's signal", () => cockatiel.execute(({ signal }) => work(signal), cockatiels)],
  ['opossum (breaker, timeout) around p-retry', () => opossum.fire()],
  ['the work alone', () => work(ours)],
];

const samples = new Map<string, number[]>(candidates.map(([name]) => [name, []]));
for (let round = -warmUps; round < rounds; round++) {
  for (const [name, call] of candidates) {
    const microseconds = await measure(call);
    if (round >= 0) samples.get(name)?.push(microseconds);
  }
}
opossum.shutdown();

const medians = candidates.map(([name]) => ({ name, microseconds: median(samples.get(name) ?? []) }));
const first = medians[0]?.microseconds ?? Number.NaN;
console.log(
  `Node.js ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}; ${callsPerRound.toLocaleString('en')} calls a round, one after the other, medians of ${rounds} rounds.\n`,
);
console.log('| a call that goes well | time | ours takes |');
console.log('|---|---|---|');
for (const { name, microseconds } of medians) {
  console.log(`| ${name} | ${microseconds.toFixed(2)} µs | ${(first / microseconds).toFixed(2)} × |`);
}

/** Microseconds a call, one after the other. */
async function measure(call: Call): Promise<number> {
  globalThis.gc?.();
  const startedMs = performance.now();
  for (let i = 0; i < callsPerRound; i++) await call();
  return ((performance.now() - startedMs) * 1000) / callsPerRound;
}
