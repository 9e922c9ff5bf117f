import { equalsInConstantTime, type Keyring } from './derived-keys.ts';

/** True when the authorization header carries the token of scrapers. */
export type IsScraper = (authorization: string | undefined) => boolean;

/** Makes the check; without a token nobody is a scraper. */
export function createScraperCheck(keyring: Keyring, token: string | undefined): IsScraper {
  // Signed first, so that texts of any length are compared in constant time.
  const expected = token === undefined ? undefined : keyring.sign('tokens', token);
  return (authorization) => {
    const [, given] = /^bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
    return (
      expected !== undefined &&
      given !== undefined &&
      equalsInConstantTime(keyring.sign('tokens', given), expected)
    );
  };
}
