import {
  createResilience,
  type ResilienceEvent,
  type ResilienceSettings,
} from '../../../src/lib/resilience/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';

/** A signal that never aborts. */
export const { signal } = new AbortController();

/** A resilience under a clock of its own, with what it tells of itself. */
export function setUp(settings: Partial<ResilienceSettings> = {}, random = () => 0.5) {
  const clock = fakeClock({ random });
  const events: ResilienceEvent[] = [];
  const resilience = createResilience({ clock, settings, onEvent: (event) => events.push(event) });
  const of = <T extends ResilienceEvent['type']>(type: T) =>
    events.filter((event): event is Extract<ResilienceEvent, { type: T }> => event.type === type);
  return { clock, events, of, resilience };
}

/** A unit of work that fails in the given ways, one after the other, and then works. */
export function failing(...errors: unknown[]) {
  const unit = {
    tries: 0,
    run: async (_: AbortSignal) => {
      unit.tries++;
      const error = errors.shift();
      if (error !== undefined) throw error;
      return 'done';
    },
  };
  return unit;
}

/** A unit of work that never works. */
export const failingForEver = (error: unknown) => failing(...Array.from({ length: 1000 }, () => error));

/** Settles a promise under a clock that moves on until it is settled. */
export async function settle<T>(
  promise: Promise<T>,
  clock: { advance(ms: number): Promise<void> },
): Promise<T | Error> {
  let settled: { value: T | Error } | undefined;
  promise.then(
    (value) => (settled = { value }),
    (error: Error) => (settled = { value: error }),
  );
  for (let i = 0; i < 300 && !settled; i++) await clock.advance(1_000);
  if (!settled) throw new Error('Still pending after 300 s');
  return settled.value;
}
