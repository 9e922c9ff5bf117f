import { AppError } from '../core/index.ts';
import type { CheckApiKey } from './api-key-check.ts';
import type { ProvenIdentity, Refusal } from './claims.ts';
import type { Caller } from './scopes.ts';
import type { CheckToken } from './verify-token.ts';

interface AuthenticatorPorts {
  readonly checkApiKey: CheckApiKey;
  readonly checkToken: CheckToken;
  /** Reads what a front end tells of the caller; `undefined` where there is none, and clients could tell anything. */
  readonly readPrincipal: ((text: string) => ProvenIdentity | Refusal) | undefined;
  /** Projects of a user: those it is a member of, and of the claimed ones those that exist. */
  findProjects(userId: string, claimed: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
  /** Told why somebody is not believed, which the client is not. */
  onRefusal(credential: 'token' | 'principal', reason: string): void;
}

/** The credential headers of a request, as they came over the wire. */
export interface Credentials {
  readonly apiKey: string | undefined;
  readonly authorization: string | undefined;
  /** `x-ms-client-principal`. */
  readonly clientPrincipal: string | undefined;
}

/**
 * Finds out who is calling.
 *
 * @throws AppError `unauthorized` for a missing or bad credential, always with the same words, so that nobody
 *   learns which part was wrong; `unavailable` when nobody can tell now whether it is good
 */
export type Authenticate = (credentials: Credentials, signal: AbortSignal) => Promise<Caller>;

/** Makes the authenticator. */
export function createAuthenticator(ports: AuthenticatorPorts): Authenticate {
  async function byIdentity(
    credential: 'token' | 'principal',
    found: ProvenIdentity | Refusal,
    signal: AbortSignal,
  ): Promise<Caller> {
    if ('refused' in found) {
      ports.onRefusal(credential, found.refused);
      throw unauthorized('The credential is not valid', credential === 'token', found);
    }
    return { ...found, projectIds: await ports.findProjects(found.id, found.projectIds, signal) };
  }

  return async ({ apiKey, authorization, clientPrincipal }, signal) => {
    if (apiKey !== undefined && authorization !== undefined)
      throw unauthorized('Send one credential, in x-api-key or in authorization, not both');
    if (apiKey !== undefined) {
      const caller = await ports.checkApiKey(apiKey, signal);
      if (!caller) throw unauthorized('The credential is not valid');
      return caller;
    }
    if (authorization !== undefined) {
      const [, token] = /^bearer +([^\s,]+)$/i.exec(authorization) ?? [];
      if (token === undefined) throw unauthorized('Only a bearer token is taken in authorization');
      return byIdentity('token', await ports.checkToken(token, signal), signal);
    }
    if (ports.readPrincipal && clientPrincipal !== undefined)
      return byIdentity('principal', ports.readPrincipal(clientPrincipal), signal);
    throw unauthorized('Send an API key in x-api-key, or a bearer token in authorization');
  };
}

/** Names both schemes (RFC 9110 §11.6.1), and an error only to those who have sent a token (RFC 6750 §3.1). */
function unauthorized(detail: string, badToken = false, cause?: Refusal): AppError {
  const bearer = `Bearer realm="crownsafe"${badToken ? ', error="invalid_token"' : ''}`;
  return new AppError('unauthorized', detail, {
    headers: { 'www-authenticate': `ApiKey realm="crownsafe", ${bearer}` },
    cause,
  });
}
