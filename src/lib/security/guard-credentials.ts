import type { Credentials } from './authenticate.ts';

/**
 * Has a credential looked at, unless too many have failed that came from the same place or had the same name. A credential that
 * `look` refuses (`unauthorized`) counts; a request without one does not.
 *
 * @throws AppError `too_many_failures` in place of `look` and of its refusal, and whatever else `look` throws
 */
export type GuardCredentials = <T>(credentials: Credentials, look: () => Promise<T>) => Promise<T>;
