import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectContent } from '../../../src/lib/http/conditional.ts';

const lastModified = Date.UTC(2026, 10, 20, 9, 30, 0, 123);
const representation = { etag: '"sha256-aa"', lastModified, sizeBytes: 100 };
const httpDate = (epochMs: number) => new Date(epochMs).toUTCString();

describe('conditional requests', () => {
  it.each([
    ['the same tag', { 'if-none-match': '"sha256-aa"' }, 'not-modified'],
    ['the same tag, weak', { 'if-none-match': 'W/"sha256-aa"' }, 'not-modified'],
    ['the same tag among others', { 'if-none-match': '"x", "sha256-aa"' }, 'not-modified'],
    ['any tag', { 'if-none-match': '*' }, 'not-modified'],
    ['another tag', { 'if-none-match': '"x"' }, 'whole'],
    [
      'another tag, whatever the date',
      { 'if-none-match': '"x"', 'if-modified-since': httpDate(lastModified) },
      'whole',
    ],
    ['the same second', { 'if-modified-since': httpDate(lastModified) }, 'not-modified'],
    ['an earlier second', { 'if-modified-since': httpDate(lastModified - 1000) }, 'whole'],
    ['a date that is none', { 'if-modified-since': 'yesterday' }, 'whole'],
    ['the tag before the range', { 'if-none-match': '"sha256-aa"', range: 'bytes=0-1' }, 'not-modified'],
  ])('answers %s', (_what, headers, kind) => {
    expect(selectContent('GET', headers, representation).kind).toBe(kind);
  });
});

describe('ranges', () => {
  it.each([
    ['bytes=0-0', 0, 1],
    ['bytes=10-19', 10, 10],
    ['bytes=90-', 90, 10],
    ['bytes=90-1000', 90, 10],
    ['bytes=-10', 90, 10],
    ['bytes=-1000', 0, 100],
    ['bytes=0-99999999999999999999', 0, 100],
    ['Bytes=1-2', 1, 2],
  ])('selects %s', (range, offset, count) => {
    expect(selectContent('GET', { range }, representation)).toEqual({ kind: 'range', offset, count });
  });

  it.each(['bytes=0-1,3-4', 'lines=0-1', 'bytes=', 'bytes=-', 'bytes=5-4', 'bytes=a-b'])(
    'answers %s whole',
    (range) => {
      expect(selectContent('GET', { range }, representation).kind).toBe('whole');
    },
  );

  it('means nothing but with GET', () => {
    expect(selectContent('HEAD', { range: 'bytes=0-1' }, representation).kind).toBe('whole');
  });

  it.each(['bytes=100-', 'bytes=100-200', 'bytes=-0'])('refuses %s', (range) => {
    expect(() => selectContent('GET', { range }, representation)).toThrow(
      expect.objectContaining({
        code: 'range_not_satisfiable',
        headers: { 'content-range': 'bytes */100' },
      }),
    );
  });

  it.each([
    ['"sha256-aa"', 'range'],
    ['W/"sha256-aa"', 'whole'],
    ['"other"', 'whole'],
    [httpDate(lastModified), 'range'],
    [httpDate(lastModified + 1000), 'whole'],
  ])('heeds if-range %s', (ifRange, kind) => {
    expect(selectContent('GET', { range: 'bytes=0-1', 'if-range': ifRange }, representation).kind).toBe(kind);
  });

  it('never selects anything outside of the content', () => {
    const ranges = fc.tuple(fc.nat(300), fc.nat(300), fc.integer({ min: 1, max: 200 }));

    fc.assert(
      fc.property(
        ranges,
        fc.constantFrom('first-last', 'first-', '-suffix'),
        ([first, last, sizeBytes], form) => {
          const range = `bytes=${form.replace('first', `${first}`).replace('last', `${last}`).replace('suffix', `${last}`)}`;
          try {
            const selection = selectContent('GET', { range }, { ...representation, sizeBytes });
            if (selection.kind !== 'range') return;
            expect(selection.count).toBeGreaterThan(0);
            expect(selection.offset + selection.count).toBeLessThanOrEqual(sizeBytes);
          } catch (error) {
            expect(error).toMatchObject({ code: 'range_not_satisfiable' });
          }
        },
      ),
    );
  });
});
