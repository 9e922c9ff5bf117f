import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCursors, pageStart, renderPage } from '../../../src/lib/http/pagination.ts';
import { createKeyring } from '../../../src/lib/security/index.ts';

const cursors = createCursors(createKeyring('a-secret-of-the-tests-0123456789abcdef'));

describe('cursors', () => {
  it('give back any key they were made of', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 4 }), (key) => {
        expect(cursors.decode('files', cursors.encode('files', key))).toEqual(key);
      }),
    );
  });

  it('are worth nothing for another list, with another secret, or changed by a bit', () => {
    const cursor = cursors.encode('files', ['a', 'b']);
    const others = createCursors(createKeyring('another-secret-of-the-tests-0123456789'));
    const bytes = Buffer.from(cursor, 'base64url');
    const refusal = expect.objectContaining({ code: 'validation_failed' });

    expect(() => cursors.decode('backups', cursor)).toThrow(refusal);
    expect(() => others.decode('files', cursor)).toThrow(refusal);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(() => cursors.decode('files', changed.toString('base64url'))).toThrow(refusal);
    }
  });

  it('go on working while the secret is replaced', () => {
    let secrets: { current: string; previous?: string } = { current: 'a'.repeat(32) };
    const rotated = createCursors(createKeyring(() => secrets));
    const cursor = rotated.encode('files', ['a']);
    secrets = { current: 'b'.repeat(32), previous: 'a'.repeat(32) };
    const during = rotated.decode('files', cursor);
    secrets = { current: 'b'.repeat(32) };

    expect(during).toEqual(['a']);
    expect(() => rotated.decode('files', cursor)).toThrow(
      expect.objectContaining({ code: 'validation_failed' }),
    );
  });

  it('have one text: the same bytes written in another way are refused', () => {
    const cursor = cursors.encode('files', ['a', 'b']);
    const written = [`${cursor}=`, `${cursor}.`, ` ${cursor}`, cursor.replace(/(.)/, '$1\n')];

    for (const text of written) {
      expect(Buffer.from(text, 'base64url').toString('base64url')).toBe(cursor);
      expect(() => cursors.decode('files', text)).toThrow(
        expect.objectContaining({ code: 'validation_failed' }),
      );
    }
  });

  it.each(['', 'x', 'AAAA', '💥'])('refuse the text %j', (text) => {
    expect(() => cursors.decode('files', text)).toThrow(
      expect.objectContaining({ code: 'validation_failed' }),
    );
  });
});

describe('where a page begins', () => {
  const start = (query: { page?: number; per_page?: number; cursor?: string }) =>
    pageStart({ per_page: 50, ...query }, () => ['key']);

  it('is the first page, a numbered page, or after a key', () => {
    expect(start({})).toEqual({ kind: 'page', page: 1, offset: 0 });
    expect(start({ page: 3, per_page: 20 })).toEqual({ kind: 'page', page: 3, offset: 40 });
    expect(start({ cursor: 'c' })).toEqual({ kind: 'after', key: ['key'] });
  });

  it('is refused for page and cursor together, and for pages beyond 10,000 rows', () => {
    expect(() => start({ page: 1, cursor: 'c' })).toThrow(
      expect.objectContaining({ code: 'validation_failed' }),
    );
    expect(start({ page: 200 })).toMatchObject({ offset: 9_950 });
    expect(() => start({ page: 201 })).toThrow(expect.objectContaining({ code: 'use_cursor' }));
  });
});

describe('a rendered page', () => {
  const render = (rows: readonly string[], total: number | undefined) =>
    renderPage({
      start: { kind: 'page', page: 1, offset: 0 },
      perPage: 2,
      rows,
      total,
      toItem: (row) => row.toUpperCase(),
      cursorOf: (row) => `after ${row}`,
    });

  it('shows no more than fits and tells how to go on', () => {
    expect(render(['a', 'b', 'c'], 7)).toEqual({
      data: ['A', 'B'],
      total: 7,
      page: 1,
      per_page: 2,
      next_cursor: 'after b',
    });
  });

  it('ends without a cursor, and gives no total that it does not know', () => {
    expect(render(['a', 'b'], 2).next_cursor).toBeNull();
    expect(render([], 10_001).total).toBeNull();
  });
});
