import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flagText, isPlain, plainText, textsByName } from '../../../src/lib/http/shapes.ts';

/** Ranges of UTF-16 units. */
const harmful = [
  [0, 0x1f],
  [0x7f, 0x9f],
  [0x2028, 0x202e],
  [0x2066, 0x2069],
] as const;

describe('a plain text', () => {
  const shape = plainText(1, 10);

  it.each(['żółw', '写真 1', '👨‍👩‍👧', 'עברית', 'a\u200fb', 'a"<>&\'', ' '])('may be %j', (text) => {
    expect(shape.safeParse(text).success).toBe(true);
  });

  it.each([
    ['NUL', 'a\0'],
    ['a tab', 'a\tb'],
    ['a line break at its end', 'a\n'],
    ['an escape', '\x1b[31m'],
    ['DEL', 'a\x7f'],
    ['a control of C1', 'a\x9b'],
    ['a line separator', 'a\u2028b'],
    ['a paragraph separator', 'a\u2029b'],
    ['an override', 'a\u202egnp.exe'],
    ['an embedding', '\u202aa'],
    ['an isolate', '\u2067a\u2069'],
    ['the first half of a pair', 'a\ud83d'],
    ['the second half of a pair', '\udc68a'],
    ['halves in the wrong order', '\udc68\ud83d'],
    ['nothing', ''],
    ['too much', 'a'.repeat(11)],
  ])('does not hold %s', (_, text) => {
    expect(shape.safeParse(text).success).toBe(false);
  });

  it('is well formed and holds no control, whatever else it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
        const isHarmful = Array.from(text, (character) => character.charCodeAt(0)).some((code) =>
          harmful.some(([first, last]) => code >= first && code <= last),
        );

        expect(isPlain(text)).toBe(text.isWellFormed() && !isHarmful);
      }),
      { numRuns: 5_000 },
    );
  });

  it('is looked at in a time that grows with its length only', () => {
    expect(isPlain('\u202c'.repeat(10) + 'a'.repeat(5_000_000))).toBe(false);
    expect(isPlain(`${'a'.repeat(5_000_000)}\n`)).toBe(false);
  });
});

describe('a flag in a query', () => {
  it.each([
    ['1', true],
    ['true', true],
    ['Yes', true],
    ['0', false],
    ['off', false],
  ])('is %s for %s', (text, expected) => {
    expect(flagText.parse(text)).toBe(expected);
  });

  it.each(['', '2', 'true\n', 'x'.repeat(1_000)])('is not %j', (text) => {
    expect(flagText.safeParse(text).success).toBe(false);
  });
});

describe('texts by name', () => {
  const shape = textsByName(plainText(1, 3), plainText(0, 3), 2);

  it('are bounded in names, texts and number', () => {
    expect(shape.safeParse({ a: '', b: 'xyz' }).success).toBe(true);
    for (const value of [
      { abcd: '' },
      { a: 'wxyz' },
      { a: '', b: '', c: '' },
      { '\n': '' },
      { a: '\n' },
      [],
    ]) {
      expect(shape.safeParse(value).success).toBe(false);
    }
  });
});
