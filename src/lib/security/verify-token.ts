import {
  type CryptoKey,
  decodeProtectedHeader,
  errors,
  type JWSHeaderParameters,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import type { Clock } from '../core/index.ts';
import { type ProvenIdentity, type Refusal, readIdentity } from './claims.ts';
import type { RotatingSecret } from './derived-keys.ts';
import { createIssuerKeys, type Issuer } from './issuer-keys.ts';

/** What makes a token a good one. */
export interface TokenRules {
  readonly clock: Clock;
  /** Of tokens signed with HS256; `undefined` where none are taken. Asked at each token. */
  secrets(): RotatingSecret | undefined;
  /** Whoever has the keys of tokens signed with RS256 or ES256; `undefined` where none are taken. */
  readonly keyIssuer: Issuer | undefined;
  /** The `iss` that tokens must have. */
  readonly issuer: string | undefined;
  /** The `aud` that tokens must have, alone or among others. */
  readonly audience: string | undefined;
  /** Who has it among the `roles` may do everything. */
  readonly adminRole: string;
}

/**
 * Tells whose token it is, if it is good.
 *
 * @throws AppError `unavailable` when the keys of the issuer cannot be asked for
 */
export type CheckToken = (text: string, signal: AbortSignal) => Promise<ProvenIdentity | Refusal>;

/** Tokens of other kinds by the same issuer, as for a logout, prove nobody (RFC 8725 §3.11). */
const acceptedTypes = /^(?:application\/)?(?:at\+)?jwt$/i;
/** Clocks differ. */
const clockSkewSeconds = 60;
/** Later is no date any more (ECMA-262 §21.4.1.1). */
const lastDateSeconds = 8.64e12;

/**
 * Makes the verification of signed tokens. Which key counts follows from the algorithm alone, never from what else a header
 * says: HS256 is checked by the secret, RS256 and ES256 by the keys of the issuer, so no key of one kind can be taken for one
 * of the other (RFC 8725 §2.1).
 */
export function createVerifier({ clock, secrets, keyIssuer, ...rules }: TokenRules): CheckToken {
  const findIssuerKey = keyIssuer && createIssuerKeys(clock, keyIssuer);

  /** What a signature is held against. */
  async function keysFor(header: JWSHeaderParameters, signal: AbortSignal) {
    if (header.alg === 'HS256') {
      const { current, previous } = secrets() ?? {};
      return [current, previous].flatMap((secret) => (secret === undefined ? [] : [Buffer.from(secret)]));
    }
    const isAsymmetric = header.alg === 'RS256' || header.alg === 'ES256';
    const key = isAsymmetric ? await findIssuerKey?.(header, signal) : undefined;
    return key ? [key] : [];
  }

  return async (text, signal) => {
    const header = readHeader(text);
    if (!header) return { refused: 'header' };
    const [first, second] = await keysFor(header, signal);
    if (!first) return { refused: 'key' };
    const options: JWTVerifyOptions = {
      algorithms: [String(header.alg)],
      clockTolerance: clockSkewSeconds,
      currentDate: new Date(clock.now()),
      requiredClaims: ['exp', 'sub'],
      ...(rules.issuer !== undefined && { issuer: rules.issuer }),
      ...(rules.audience !== undefined && { audience: rules.audience }),
    };
    let verified = await verify(text, first, options);
    if (second && 'refused' in verified && verified.refused === badSignature)
      verified = await verify(text, second, options);
    if ('refused' in verified) return verified;
    const { iat = 0, exp = 0 } = verified.claims;
    // What the library leaves to its users: a token from the future, and one for ever (1e999 in JSON is Infinity).
    if (iat > clock.now() / 1000 + clockSkewSeconds) return { refused: 'iat' };
    if (exp > lastDateSeconds) return { refused: 'exp' };
    const found = readIdentity(verified.claims, rules.adminRole);
    return 'refused' in found ? found : { ...found, expiresAt: exp * 1000 };
  };
}

/** The header, unless it asks for something that we do not do; what it says of other keys and of addresses is not looked at. */
function readHeader(text: string): JWSHeaderParameters | undefined {
  try {
    const header = decodeProtectedHeader(text);
    // `b64` and all that is critical change what was signed, `cty` says that there is another token inside.
    if ('crit' in header || 'b64' in header || 'cty' in header) return undefined;
    const { typ } = header;
    return typ === undefined || (typeof typ === 'string' && acceptedTypes.test(typ)) ? header : undefined;
  } catch {
    return undefined;
  }
}

const badSignature = 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED';

async function verify(
  text: string,
  key: CryptoKey | Uint8Array,
  options: JWTVerifyOptions,
): Promise<{ readonly claims: JWTPayload } | Refusal> {
  try {
    const { payload } = await jwtVerify(text, key, options);
    return { claims: payload };
  } catch (error) {
    // The end is looked at last: all else was right.
    return { refused: wordFor(error), ...(error instanceof errors.JWTExpired && { hasExpired: true }) };
  }
}

/** The library's code, and of a claim its name; never the message, which may quote the token. */
function wordFor(error: unknown): string {
  if (!(error instanceof Error && 'code' in error)) return 'unusable key';
  return 'claim' in error ? `${error.code} ${error.claim}` : String(error.code);
}
