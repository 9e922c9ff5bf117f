import { isAppError } from '../core/index.ts';

/**
 * The last policy: what to go on with when a dependency stays out of reach or does not answer in time, where an answer
 * with less in it is better than none. A refusal, and a mistake of ours, is thrown on: it would be hidden for ever.
 *
 * @example
 * const others = await orElse(table.list(signal), () => []);
 */
export async function orElse<T>(work: Promise<T>, fallback: () => T): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isAppError(error, 'unavailable') || isAppError(error, 'deadline_exceeded')) return fallback();
    throw error;
  }
}
