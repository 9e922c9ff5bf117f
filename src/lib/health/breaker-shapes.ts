import * as z from 'zod';
import { plainText } from '../http/index.ts';

const states = ['closed', 'open', 'half_open'] as const;
const modes = ['auto', 'open', 'closed'] as const;

/** What an operator orders. */
export const breakerOrder = z.strictObject({ state: z.enum(modes) });

export const breakerNameParams = z.strictObject({ name: plainText(1, 300) });

/** One breaker of this instance, what operators have ordered, and what other instances tell of theirs. */
export const breakerShape = z.strictObject({
  name: z.string(),
  state: z.enum(states),
  since: z.iso.datetime(),
  mode: z.enum(modes),
  set_by: z.string().nullable(),
  set_at: z.iso.datetime().nullable(),
  elsewhere: z.array(
    z.strictObject({ instance: z.string(), state: z.enum(states), since: z.iso.datetime() }),
  ),
});

export const breakerListShape = z.strictObject({
  data: z.array(breakerShape),
  /** When the orders were read last; null when they never could be. */
  modes_read_at: z.iso.datetime().nullable(),
});

export type BreakerShape = z.infer<typeof breakerShape>;
export type BreakerList = z.infer<typeof breakerListShape>;
