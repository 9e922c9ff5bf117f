import type { IncomingMessage } from 'node:http';
import { AppError, isAppError } from '../core/index.ts';
import { currentContext } from '../observability/index.ts';
import {
  type Authenticate,
  allows,
  type Caller,
  type Credentials,
  type GuardCredentials,
  type IsScraper,
  type Scope,
} from '../security/index.ts';
import type { AnswerHeaders } from './answer.ts';
import { networkOf } from './client-address.ts';
import { readCredentials } from './credentials.ts';
import type { Endpoint } from './endpoint.ts';
import type { Policy, RateLimiter } from './rate-limit.ts';
import { createSpentCredentials } from './spent-credentials.ts';

/** What keeps somebody from calling too often, or from trying credentials. */
export interface Limits {
  readonly rate: RateLimiter;
  readonly guard: GuardCredentials;
}

interface AdmissionPorts {
  readonly authenticate: Authenticate;
  readonly isScraper: IsScraper;
  readonly isProduction: boolean;
  /** `undefined`: there are none. */
  readonly limits: Limits | undefined;
  readonly noteRefusal: (endpoint: string, scope: Scope) => Promise<void>;
}

/**
 * Lets a request in, or not: by limits, credential and scope, before any of its input is looked at.
 *
 * @param headers - receives those that tell of limits, for whatever the answer is
 * @returns who is calling; `undefined` where that is not asked
 * @throws AppError `unauthorized`, `forbidden`, `rate_limited`, `too_many_failures`
 */
export type Admit = (
  endpoint: Endpoint,
  request: IncomingMessage,
  headers: Record<string, string>,
  signal: AbortSignal,
) => Promise<Caller | undefined>;

/** Makes the admission. */
export function createAdmission(ports: AdmissionPorts): Admit {
  const spent = createSpentCredentials();
  return async (endpoint, request, headers, signal) => {
    const count = countWith(ports.limits?.rate, endpoint, headers);
    const { access } = endpoint;
    if (access.kind === 'public') {
      count(callerNetwork(), 'address');
      return undefined;
    }
    if (access.kind === 'scrape' && !ports.isProduction) return undefined;
    const credentials = readCredentials(request);
    const hasCredential = Object.values(credentials).some((value) => value !== undefined);
    const countCaller = (id: string) => countKnown(id, endpoint, count, () => spent.note(credentials, id));
    // Before anybody is asked who that is.
    if (!hasCredential) count(callerNetwork(), 'address');
    const spender = spent.callerOf(credentials);
    if (spender !== undefined) countCaller(spender);
    const caller = await identify(ports, access.kind === 'scrape', credentials, signal).catch((error) => {
      if (hasCredential && isAppError(error, 'unauthorized')) count(callerNetwork(), 'address');
      throw error;
    });
    if (!caller) return undefined;
    if (caller.id !== spender) countCaller(caller.id);
    if (access.kind === 'authenticated' || allows(caller, access.scope)) return caller;
    await ports.noteRefusal(`${endpoint.method} /${endpoint.route}`, access.scope);
    throw forbidden(access.scope, credentials);
  };
}

/** Nobody who is held back has a credential looked at, the token of scrapers included. */
function identify(
  { authenticate, isScraper, limits }: AdmissionPorts,
  isScrape: boolean,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<Caller | undefined> {
  const look = async () =>
    isScrape && isScraper(credentials.authorization) ? undefined : await authenticate(credentials, signal);
  return limits ? limits.guard(credentials, look) : look();
}

/** Counts a request where the endpoint has a limit, and notes down what is left. */
function countWith(rate: RateLimiter | undefined, { limit }: Endpoint, headers: Record<string, string>) {
  return (key: string, ...policies: readonly [Policy, ...Policy[]]): void => {
    if (!rate || limit === 'none') return;
    const counted = rate.count(key, ...policies);
    Object.assign(headers, counted.headers satisfies AnswerHeaders);
    if (counted.refusal) throw counted.refusal;
  };
}

/** @param onRefusal - told when the caller has nothing left */
function countKnown(
  id: string,
  { limit }: Endpoint,
  count: ReturnType<typeof countWith>,
  onRefusal: () => void,
): void {
  // Known from here on, also in the log line of a refusal.
  const context = currentContext();
  if (context) context.userId = id;
  try {
    count(id, 'caller', ...(limit === 'uploads' ? (['uploads'] as const) : []));
  } catch (error) {
    onRefusal();
    throw error;
  }
}

/** Those whose address is not known share one. */
function callerNetwork(): string {
  return networkOf(currentContext()?.clientAddress ?? 'unknown');
}

/** Of the two schemes only bearer has words for it (RFC 6750 §3.1). */
function forbidden(scope: Scope, { authorization }: Credentials): AppError {
  const challenge = `Bearer realm="crownsafe", error="insufficient_scope", scope="${scope}"`;
  return new AppError('forbidden', `The scope ${scope} is required`, {
    headers: authorization === undefined ? {} : { 'www-authenticate': challenge },
  });
}
