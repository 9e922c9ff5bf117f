import type { Keyring } from './derived-keys.ts';

/** True when the authorization header carries the token of scrapers. */
export type IsScraper = (authorization: string | undefined) => boolean;

/** Makes the check; without a token nobody is a scraper. */
export function createScraperCheck(keyring: Keyring, token: string | undefined): IsScraper {
  return (authorization) => {
    const [, given] = /^bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
    if (token === undefined || given === undefined) return false;
    // Signed first, so that texts of any length are compared in constant time.
    return keyring.matches('tokens', given, keyring.sign('tokens', token));
  };
}
