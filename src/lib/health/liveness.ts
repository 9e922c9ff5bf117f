import * as z from 'zod';
import type { Clock } from '../core/index.ts';

/** The answer to "is the process alive?". */
export const livenessShape = z.strictObject({
  status: z.literal('ok'),
  version: z.string(),
  uptime_seconds: z.number(),
});

/** Makes the liveness answer; it touches nothing, so it stays true while everything else is down. */
export function createLiveness(clock: Clock, version: string): () => z.infer<typeof livenessShape> {
  const startedMs = clock.monotonicMs();
  return () => ({
    status: 'ok',
    version,
    uptime_seconds: Math.floor((clock.monotonicMs() - startedMs) / 1000),
  });
}
