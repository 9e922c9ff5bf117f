import * as z from 'zod';
import { AppError } from '../core/index.ts';
import type { Keyring } from '../security/index.ts';
import { invalid } from './input.ts';
import { wholeNumber } from './shapes.ts';

/** Rows up to which a total is exact and pages can be numbered; beyond, only a cursor is cheap. */
export const maxNumberedRows = 10_000;

/** Query parameters of every paged list. */
export const pageParameters = {
  page: wholeNumber(1, 999_999_999).optional(),
  per_page: wholeNumber(1, 200).default(50),
  // Holds a sort value, of which a file name is the longest: 255 characters of up to four bytes.
  cursor: z
    .string()
    .max(4_000)
    .regex(/^[\x21-\x7e]+$/, 'is no cursor')
    .optional(),
};

/** Where a page begins: at a number, or after the row a cursor names (keyset pagination). */
export type PageStart =
  | { readonly kind: 'page'; readonly page: number; readonly offset: number }
  | { readonly kind: 'after'; readonly key: readonly string[] };

/** Signed cursors: opaque to clients, useless for another list or sort order. */
export interface Cursors {
  /** @param list - names the list with its sort order and filters */
  encode(list: string, key: readonly string[]): string;
  /** @throws AppError `validation_failed` */
  decode(list: string, cursor: string): readonly string[];
}

const signatureBytes = 16;

/** Makes cursors signed by HMAC, so that nobody can probe rows by making up keys. */
export function createCursors(keyring: Keyring): Cursors {
  const signedText = (list: string, payload: Buffer) => `${list}\n${payload.toString('hex')}`;
  return {
    encode(list, key) {
      const payload = Buffer.from(JSON.stringify(key));
      const signature = keyring.sign('cursors', signedText(list, payload)).subarray(0, signatureBytes);
      return Buffer.concat([signature, payload]).toString('base64url');
    },
    decode(list, cursor) {
      const bytes = Buffer.from(cursor, 'base64url');
      const payload = bytes.subarray(signatureBytes);
      const signature = bytes.subarray(0, signatureBytes);
      // Decoding lets much go by that we have not written: one cursor has one text.
      const isOurText = bytes.toString('base64url') === cursor;
      if (!isOurText || !keyring.matches('cursors', signedText(list, payload), signature, signatureBytes)) {
        throw invalid([{ path: 'cursor', message: 'does not belong to this list', code: 'invalid_cursor' }]);
      }
      return JSON.parse(payload.toString());
    },
  };
}

interface PageQuery {
  readonly page?: number | undefined;
  readonly per_page: number;
  readonly cursor?: string | undefined;
}

/**
 * Reads where the page begins.
 *
 * @throws AppError `validation_failed` for page and cursor together, `use_cursor` beyond {@link maxNumberedRows}
 */
export function pageStart(query: PageQuery, decode: (cursor: string) => readonly string[]): PageStart {
  if (query.cursor !== undefined) {
    if (query.page !== undefined) {
      throw invalid([{ path: 'page', message: 'cannot be combined with cursor', code: 'conflicting' }]);
    }
    return { kind: 'after', key: decode(query.cursor) };
  }
  const page = query.page ?? 1;
  if (page * query.per_page > maxNumberedRows + query.per_page - 1) {
    throw new AppError('use_cursor', `Pages end at ${maxNumberedRows} rows; go on with next_cursor`);
  }
  return { kind: 'page', page, offset: (page - 1) * query.per_page };
}

/** The shape of a paged list of `item`, for the declaration of an endpoint. */
export function pageOf<S extends z.ZodType>(item: S) {
  return z.strictObject({
    data: z.array(item),
    total: z.int().nullable().optional(),
    page: z.int().optional(),
    per_page: z.int(),
    next_cursor: z.string().nullable(),
  });
}

/** Renders one page. `rows` holds one row more than fits when there is a next page. */
export function renderPage<Row, Item>(options: {
  readonly start: PageStart;
  readonly perPage: number;
  readonly rows: readonly Row[];
  /** Rows in all, counted no further than {@link maxNumberedRows} + 1; only asked for numbered pages. */
  readonly total: number | undefined;
  readonly toItem: (row: Row) => Item;
  readonly cursorOf: (row: Row) => string;
}) {
  const { start, perPage, rows, total } = options;
  const shown = rows.slice(0, perPage);
  const last = shown.at(-1);
  return {
    data: shown.map(options.toItem),
    ...(start.kind === 'page' && {
      total: total === undefined || total > maxNumberedRows ? null : total,
      page: start.page,
    }),
    per_page: perPage,
    next_cursor: last !== undefined && rows.length > perPage ? options.cursorOf(last) : null,
  };
}
