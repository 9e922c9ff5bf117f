import { isAppError } from '../core/index.ts';
import type { Credentials } from './authenticate.ts';
import type { Refusal } from './claims.ts';

/**
 * Has a credential looked at, unless too many have failed that came from the same place or had the same name. A credential that
 * {@link isFailedCredential} calls one counts; a request without one does not.
 *
 * @throws AppError `too_many_failures` in place of `look` and of its refusal, and whatever else `look` throws
 */
export type GuardCredentials = <T>(credentials: Credentials, look: () => Promise<T>) => Promise<T>;

/**
 * True when an error says that somebody has shown a credential which never was one. A token that was good and has expired is
 * what every client shows before it gets a new one: a house full of them, behind one address, must not be shut out for it.
 */
export function isFailedCredential(error: unknown): boolean {
  return isAppError(error, 'unauthorized') && !(error.cause as Refusal | undefined)?.hasExpired;
}
