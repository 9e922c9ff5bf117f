import { describe, expect, it } from 'vitest';
import { comparingFile, unsafeComparisons } from './checks/secret-comparisons.ts';
import { readSources } from './reading/project-files.ts';
import { parseSource } from './reading/source-file.ts';

/** Files whose values are called as secrets are, and are none. */
const exceptions: Readonly<Record<string, string>> = {
  'src/lib/audit/row-check.ts':
    'hashes of rows: who may read the rows can make them, and nobody sends one to be compared',
  'src/lib/audit/verify.ts': 'the same of seals',
  'src/lib/access/credential-guard.ts': 'hashes of client addresses and key ids, by which counters are found',
  'src/lib/security/tokens.ts': 'a signature with itself, to see that it is written in one way',
  'src/lib/security/verify-token.ts': 'a word that says why a token was refused',
};

const comparisonsIn = (text: string, path = 'src/lib/a/a.ts') => unsafeComparisons([parseSource(path, text)]);

describe('secrets', () => {
  it.each([
    'stored.hash === given',
    'given !== storedHash',
    "hash.toString('hex') == expected",
    'stored.hash.equals(given)',
    'Buffer.compare(signature, expected)',
    'expected.compare(hmac)',
    "createHmac('sha256', key).update(text).digest().equals(bytes)",
    "createHmac('sha256', key).update(text).digest('hex') === text",
    'token === config.METRICS_TOKEN',
    '(await findSecret()) === secret',
    'signatureOf(a) === b',
    'tokens.includes(token)',
    'options?.password !== password',
    'mac === other',
  ])('are not compared by %s', (text) => {
    expect(comparisonsIn(text)).toEqual([expect.stringContaining('src/lib/a/a.ts:1 compares a secret: ')]);
  });

  it.each([
    'token === undefined',
    "typeof secret === 'string'",
    "token === ''",
    'secret.length >= 32',
    'tokenCount === 5',
    'hash.length === other.length',
    'name === other',
    'equalsInConstantTime(hash, stored.hash)',
    "text.startsWith('csk_')",
  ])('may be handled by %s', (text) => {
    expect(comparisonsIn(text)).toEqual([]);
  });

  it('are compared in constant time by one function of ours', () => {
    const text = "import { timingSafeEqual } from 'node:crypto';\ntimingSafeEqual(a, b);";

    expect(comparisonsIn(text)).toEqual([
      'src/lib/a/a.ts:1 uses timingSafeEqual: use equalsInConstantTime',
      'src/lib/a/a.ts:2 uses timingSafeEqual: use equalsInConstantTime',
    ]);
    expect(comparisonsIn(text, comparingFile)).toEqual([]);
  });

  it('are compared like that in all of src', () => {
    const files = readSources('src');

    const found = unsafeComparisons(files);
    const excepted = Object.keys(exceptions).filter((path) => files.some((file) => file.path === path));

    expect(found.filter((one) => !excepted.some((path) => one.startsWith(`${path}:`)))).toEqual([]);
    expect(excepted.filter((path) => !found.some((one) => one.startsWith(`${path}:`)))).toEqual([]);
    expect(files.some(({ path, text }) => path === comparingFile && text.includes('timingSafeEqual('))).toBe(
      true,
    );
  });
});
