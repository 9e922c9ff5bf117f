import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkJsonBounds } from '../../../src/lib/http/json-bounds.ts';

const check = (text: string) => checkJsonBounds(Buffer.from(text));
const nested = (depth: number) => '[{"a":'.repeat(depth / 2) + '}]'.repeat(depth / 2);

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

describe('the bounds of JSON', () => {
  it('are 32 levels, of arrays and objects alike', () => {
    expect(() => check(nested(32))).not.toThrow();
    expect(() => check(nested(34))).toThrow('The body has more than 32 levels');
  });

  it('are ten thousand values', () => {
    expect(() => check(`[${'1,'.repeat(10_000)}1]`)).not.toThrow();
    expect(() => check(`[${'1,'.repeat(10_001)}1]`)).toThrow('The body has more than 10000 values');
    expect(() => check(`[${'{"a":1},'.repeat(6_000)}1]`)).toThrow('The body has more than 10000 values');
  });

  it('do not count what stands in texts, nor levels that are over', () => {
    expect(() => check(JSON.stringify({ a: `${'[{,:'.repeat(20_000)}\\"` }))).not.toThrow();
    expect(() => check(`["\\\\", "\\"[[[[", ${'[[]],'.repeat(100)}0]`)).not.toThrow();
  });

  it('hold for any value, and let every value within them pass', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 40 }), fc.boolean(), (value, pretty) => {
        const text = JSON.stringify(value, undefined, pretty ? 2 : 0);
        if (depthOf(value) > 32) expect(() => check(text)).toThrow();
        else expect(() => check(text)).not.toThrow();
      }),
    );
  });

  it('end with any bytes, also those of no JSON', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        try {
          checkJsonBounds(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: 'malformed_body' });
        }
      }),
    );
    expect(() => check('"never ends \\')).not.toThrow();
  });
});
