import { fieldOf, textOf } from './error-fields.ts';
import { judgeNetworkCode } from './network-errors.ts';
import { AttemptTimeoutError } from './timeout.ts';
import type { Verdict } from './verdict.ts';

/**
 * Statuses that a later try may not get. What is not listed: other 5xx `broken`, all below `answered`.
 * Source: RFC 9110 §15, RFC 6585 §4 (429), RFC 8470 §5.2 (425).
 */
export const httpStatuses: ReadonlyMap<number, Verdict> = new Map([
  [408, 'lost'],
  // Too Early: the server was not willing to risk doing it twice.
  [425, 'refused'],
  [429, 'refused'],
  // The server, or one behind it, fell over midway: it may have been done. Azure: InternalError, OperationTimedOut.
  [500, 'lost'],
  [502, 'lost'],
  // Overloaded or under maintenance: turned away before anything was done. Azure: ServerBusy.
  [503, 'refused'],
  [504, 'lost'],
]);

/** Reads what a status says, of Azure's services and of anybody else's. */
export function judgeStatus(status: number): Verdict {
  return httpStatuses.get(status) ?? (status >= 500 ? 'broken' : 'answered');
}

/**
 * Reads an error of an HTTP client by its shape: an answer has `status` or `statusCode`, a request without one has a
 * network code, which `fetch` keeps one level deeper.
 */
export function judgeHttpError(error: unknown): Verdict {
  if (error instanceof AttemptTimeoutError) return 'lost';
  const status = fieldOf(error, 'statusCode') ?? fieldOf(error, 'status');
  if (typeof status === 'number') return judgeStatus(status);
  const network =
    judgeNetworkCode(textOf(error, 'code')) ?? judgeNetworkCode(textOf(fieldOf(error, 'cause'), 'code'));
  if (network) return network;
  // The caller's own abort never gets here: an answer cut off by the server looks the same.
  return textOf(error, 'name') === 'AbortError' ? 'lost' : 'foreign';
}
