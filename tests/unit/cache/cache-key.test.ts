import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cacheKey, isPrefix, type KeyPart } from '../../../src/lib/cache/cache-key.ts';

type Parts = [KeyPart, ...KeyPart[]];

/** Short and full of what a careless encoding would mix up, so that equal and nearly equal parts come often. */
const text = fc.oneof(
  fc.string({
    unit: fc.constantFrom('a', 'b', ',', '.', '=', '~', '0', '/', '\ud800', 'é', '"', '{'),
    maxLength: 4,
  }),
  fc.string({ unit: 'binary', maxLength: 90 }),
);
const part: fc.Arbitrary<KeyPart> = fc.letrec<{ part: KeyPart }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 2 },
    text,
    fc.integer({ min: -20, max: 20 }),
    fc.double({ noNaN: true }).map((number) => (Object.is(number, -0) ? 0 : number)),
    fc.constantFrom(true, false, null, Number.NaN),
    fc.array(tie('part'), { maxLength: 3 }),
    fc.dictionary(fc.string({ maxLength: 2 }), tie('part'), { maxKeys: 3 }),
  ),
})).part;
const parts = fc.array(part, { minLength: 1, maxLength: 4 }).map((list) => list as Parts);

describe('the key of a cached value', () => {
  it('is the same for the same parts, and another for others', () => {
    const same = (a: KeyPart, b: KeyPart) => {
      try {
        expect(a).toEqual(b);
        return true;
      } catch {
        return false;
      }
    };

    fc.assert(
      fc.property(parts, parts, (a, b) => {
        expect(cacheKey(...structuredClone(a))).toBe(cacheKey(...a));
        expect(cacheKey(...a) === cacheKey(...b)).toBe(same(a, b));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<[Parts, Parts]>([
    [
      ['a', 'b","c'],
      ['a","b', 'c'],
    ],
    [['a', 'b'], ['ab']],
    [['a'], ['a', '']],
    [['1'], [1]],
    [['null'], [null]],
    [['\u1234'], [1234]],
    [['[1]'], [[1]]],
    [['\ud800'], ['\ufffd']],
    [['a'], ['A']],
    [
      ['x'.repeat(300), 'y'],
      [`${'x'.repeat(299)}y`, 'x'],
    ],
  ])('of %j is another than of %j', (a, b) => {
    expect(cacheKey(...a)).not.toBe(cacheKey(...b));
  });

  it('does not depend on the order of properties, nor on those that are undefined', () => {
    const one = cacheKey('r', { to: 2, from: { b: [1], a: 'x' }, tz: undefined });
    const other = cacheKey('r', { from: { a: 'x', b: [1] }, to: 2 });

    expect(one).toBe(other);
    expect(one).not.toBe(cacheKey('r', { from: { a: 'x', b: [1] }, to: null }));
  });

  it('is short', () => {
    fc.assert(
      fc.property(parts, (some) => {
        expect(cacheKey(...some).length).toBeLessThanOrEqual(200);
      }),
    );
  });

  it('begins with the key of its leading parts, as long as that is short enough to be a prefix', () => {
    fc.assert(
      fc.property(parts, parts, (leading, rest) => {
        const prefix = cacheKey(...leading);
        fc.pre(isPrefix(prefix));

        expect(cacheKey(...leading, ...rest).startsWith(prefix)).toBe(true);
      }),
    );
  });
});
