import { describe, expect, it } from 'vitest';
import { createKeyring, createScraperCheck } from '../../../src/lib/security/index.ts';

const keyring = createKeyring('k'.repeat(32));

describe('createScraperCheck', () => {
  const isScraper = createScraperCheck(keyring, 'token-of-the-scrapers');

  it.each(['Bearer token-of-the-scrapers', 'bearer  token-of-the-scrapers'])(
    'knows a scraper by %j',
    (header) => {
      expect(isScraper(header)).toBe(true);
    },
  );

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer token-of-the-scraper',
    'Bearer token-of-the-scrapers2',
    'Bearer token-of-the-scrapers x',
    'Basic token-of-the-scrapers',
    'token-of-the-scrapers',
  ])('does not know one by %j', (header) => {
    expect(isScraper(header)).toBe(false);
  });

  it('knows none without a token', () => {
    const nobody = createScraperCheck(keyring, undefined);

    expect(nobody('Bearer undefined')).toBe(false);
  });
});
