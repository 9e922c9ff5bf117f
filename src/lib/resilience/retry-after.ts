import { parseHttpDate } from '../core/index.ts';
import { fieldOf } from './error-fields.ts';

/**
 * The wait a service has asked for, in milliseconds: `retryAfterSeconds` of the error, or the `Retry-After` header
 * (seconds or a date) of the response it carries.
 */
export function retryAfterMs(error: unknown, nowMs: number): number | undefined {
  const seconds = fieldOf(error, 'retryAfterSeconds');
  if (typeof seconds === 'number' && seconds >= 0) return seconds * 1000;
  const header = headerOf(error, 'retry-after');
  if (!header) return undefined;
  // A stranger may write any number; one with more digits means nothing, and may even read as Infinity.
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = parseHttpDate(header);
  return date === undefined ? undefined : Math.max(0, date - nowMs);
}

function headerOf(error: unknown, name: string): string | undefined {
  const headers = fieldOf(fieldOf(error, 'response'), 'headers');
  const get = fieldOf(headers, 'get');
  if (typeof get !== 'function') return undefined;
  const value: unknown = get.call(headers, name);
  return typeof value === 'string' ? value : undefined;
}
