import { describe, expect, it } from 'vitest';
import { problems } from '../../src/lib/core/index.ts';
import { errorClasses, faultsOfErrorClasses, malformedCodes } from './checks/error-classes.ts';
import { readSources } from './reading/project-files.ts';
import { parseSource } from './reading/source-file.ts';

const faultsOf = (...texts: string[]) =>
  faultsOfErrorClasses(errorClasses(texts.map((text, index) => parseSource(`src/${index}.ts`, text))));

const good = `class GoneError extends Error {
  override readonly name = 'GoneError' as const;
  readonly code = 'gone';
}`;

describe('an error class', () => {
  it('may have a literal name and code, inherit its code, or fill a typed one', () => {
    const faults = faultsOf(
      good,
      "class FarGoneError extends GoneError { override readonly name = 'FarGoneError' as const }",
      "class KindError extends Error { override readonly name = 'KindError' as const; readonly code: Code }",
      'class Store {}',
      'class Cache extends Store {}',
    );

    expect(faults).toEqual([]);
  });

  it.each([
    ['no name', "class AError extends Error { readonly code = 'a' }", 'needs `override readonly name'],
    [
      'a name that may change',
      "class AError extends Error { name = 'AError'; readonly code = 'a' }",
      'needs `over',
    ],
    ['the name of another', good.replace('class GoneError', 'class AError'), "name = 'AError'"],
    ['no code', "class AError extends Error { override readonly name = 'AError' as const }", 'stable code'],
    ['a code that may change', good.replace('readonly code', 'code'), 'stable code'],
    ['a code in capitals', good.replace("'gone'", "'GONE'"), 'lower_snake_case'],
    ['a built-in parent of a kind', "class AError extends TypeError { readonly code = 'a' }", 'needs `over'],
    ['no name at all', "const make = () => class extends Error { readonly code = 'a' }", 'has no name'],
  ])('is refused with %s', (_, text, reason) => {
    expect(faultsOf(text)).toEqual([expect.stringContaining(reason)]);
  });

  it('is refused with the name of another class', () => {
    expect(faultsOf(good, good)).toEqual(['src/1.ts:1 GoneError has the name of another class']);
  });

  it('is found in a file of its own, below a parent that stands elsewhere', () => {
    const child = 'class FarGoneError extends GoneError {}';

    expect(faultsOf(child, good)).toEqual([expect.stringContaining("name = 'FarGoneError'")]);
  });

  it('has its name and code everywhere in src', () => {
    const classes = errorClasses(readSources('src'));

    expect(faultsOfErrorClasses(classes)).toEqual([]);
    expect(classes.map(({ className }) => className)).toEqual(
      expect.arrayContaining(['AppError', 'ConfigError']),
    );
  });
});

describe('the codes of problems', () => {
  it('are refused in another form than lower_snake_case', () => {
    expect(malformedCodes(['not_found', 'notFound', 'NOT', 'a__b', '_a', 'a-b', ''])).toEqual([
      'notFound',
      'NOT',
      'a__b',
      '_a',
      'a-b',
      '',
    ]);
  });

  it('are stable words, each with a status for failures and a title', () => {
    expect(malformedCodes(Object.keys(problems))).toEqual([]);
    for (const [code, [status, title]] of Object.entries(problems)) {
      expect(status, code).toBeGreaterThanOrEqual(400);
      expect(status, code).toBeLessThan(600);
      expect(title, code).toMatch(/^[A-Z].*[^.]$/);
    }
  });
});
