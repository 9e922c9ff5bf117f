import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** The `JWT_SECRET` of the apps of the end-to-end tests. Drawn, so that their security audit finds nothing in it. */
export const testJwtSecret = 'vN3rXq8LbT5wYk2HzUe7CjPd9GmSfA4oQx6RiJt1';

/** Signs what stands before the last dot. */
export type Signer = (input: string) => Buffer;

/** A key of an issuer: to sign with, and as the issuer shows it. */
export interface IssuerKey {
  readonly kid: string;
  readonly alg: 'RS256' | 'ES256';
  readonly publicKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
  readonly signer: Signer;
}

export const bySecret =
  (secret: string | Buffer): Signer =>
  (input) =>
    createHmac('sha256', secret).update(input).digest();

/** Makes a key pair; with the library of Node.js, so that the one under test is held against another. */
export function makeIssuerKey(kid: string, alg: IssuerKey['alg'] = 'RS256'): IssuerKey {
  const { publicKey, privateKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    kid,
    alg,
    publicKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' },
    signer: (input) => sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  };
}

/** Puts a token together, also one that no library would make; texts are taken as they are. */
export function assemble(header: object | string, claims: object | string, signer: Signer): string {
  const input = [header, claims].map(encode).join('.');
  return `${input}.${signer(input).toString('base64url')}`;
}

function encode(part: object | string): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}

/** Claims of somebody, good for five minutes. */
export function claimsOf(sub: string, more: object = {}, nowMs = Date.now()) {
  const now = Math.floor(nowMs / 1000);
  return { sub, iat: now, exp: now + 300, ...more };
}

/** A token by the shared secret. */
export function sharedToken(claims: object, secret = testJwtSecret): string {
  return assemble({ alg: 'HS256', typ: 'JWT' }, claims, bySecret(secret));
}

/** A token by an issuer. */
export function issuedToken({ alg, kid, signer }: IssuerKey, claims: object): string {
  return assemble({ alg, typ: 'JWT', kid }, claims, signer);
}
