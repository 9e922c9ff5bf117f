import { describe, expect, it } from 'vitest';
import { fromWire, isSameRow, toWire } from '../../../src/lib/storage/table-values.ts';

const key = { partitionKey: 'p', rowKey: 'r' };

describe('toWire', () => {
  it.each([
    [0, 0],
    [2_147_483_647, 2_147_483_647],
    [-2_147_483_648, -2_147_483_648],
    [2_147_483_648, { type: 'Double', value: 2_147_483_648 }],
    [1_767_225_600_123, { type: 'Double', value: 1_767_225_600_123 }],
    [0.5, { type: 'Double', value: 0.5 }],
  ])('names the type of %d when the service would take it for another', (value, expected) => {
    expect(toWire({ ...key, n: value })['n']).toEqual(expected);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses %d, and names the column', (value) => {
    expect(() => toWire({ ...key, ratio: value })).toThrow(
      new TypeError(`Column ratio holds ${value}, which no table keeps`),
    );
  });
});

describe('fromWire', () => {
  it('leaves out what the service adds', () => {
    const wire = { ...key, 'odata.metadata': 'x', etag: 'W/"1"', timestamp: '2026-01-01T00:00:00Z', n: 1 };

    expect(fromWire(wire)).toEqual({ entity: { ...key, n: 1 }, etag: 'W/"1"' });
  });
});

describe('isSameRow', () => {
  const row = { ...key, at: new Date(5), bytes: new Uint8Array([1, 2]), big: 5n, none: undefined };

  it('compares values, not objects', () => {
    expect(isSameRow(row, { ...key, at: new Date(5), bytes: Buffer.from([1, 2]), big: 5n })).toBe(true);
  });

  it.each([
    ['a date', { at: new Date(6) }],
    ['bytes', { bytes: new Uint8Array([1, 3]) }],
    ['a large number', { big: 6n }],
    ['a column that was not there', { none: 0 }],
    ['one column more', { more: '' }],
    ['the key', { rowKey: 's' }],
  ])('sees a difference in %s', (_, change) => {
    expect(isSameRow(row, { ...row, ...change })).toBe(false);
  });
});
