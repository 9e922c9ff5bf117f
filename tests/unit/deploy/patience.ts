import type { Patience } from '../../../scripts/deploy/poll.ts';
import { systemClock } from '../../../src/lib/core/index.ts';

/** Waits in real time, but not for long; `said` holds what it told. */
export function shortPatience(changes: Partial<Patience> = {}): Patience & { readonly said: string[] } {
  const said: string[] = [];
  const say = (line: string) => said.push(line);
  const { signal } = new AbortController();
  return { clock: systemClock, everyMs: 1, forMs: 20_000, signal, say, said, ...changes };
}

/** Long enough for a few attempts at a server on this machine that answers wrongly each time. */
export const soonInVain = { everyMs: 10, forMs: 300 };
