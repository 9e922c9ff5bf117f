import { AppError } from '../core/index.ts';
import { type Db, type Expression, sql, toAppError } from '../database/index.ts';
import type { Row } from './rows.ts';

/** Rows asked for at a time: few enough to stay small in memory, enough that round trips do not count. */
const batchRows = 1_000;

/** Reads the rows of one query inside a transaction. Its failures can be told to a client; after an abort it is the reason. */
export interface RowReader {
  /** How many rows PostgreSQL expects. Costs no reading, and may be far off. */
  estimate(): Promise<number>;
  /** Reads no further than needed to know. */
  hasMoreThan(limit: number): Promise<boolean>;
  /** All rows in order, in batches, of which no more than two are held. May be called once. */
  batches(): AsyncGenerator<readonly Row[]>;
}

interface RowReaderOptions {
  readonly query: Expression<Row>;
  /** Columns by which rows ascend. */
  readonly orderBy: readonly string[];
  /** The signal at whose abort the connection of `db` breaks. */
  readonly signal: AbortSignal;
  /** After this time the server gives a statement up, also when the client has gone without a word. */
  readonly statementTimeoutMs: number;
}

/** Makes a reader. `db` is a transaction of its own; its settings are changed. */
export async function openRowReader(db: Db, options: RowReaderOptions): Promise<RowReader> {
  const { query, orderBy, signal, statementTimeoutMs } = options;
  const ask = async <T>(statement: ReturnType<typeof sql<T>>) => {
    try {
      return (await statement.execute(db)).rows;
    } catch (error) {
      throw signal.aborted ? signal.reason : presentable(error);
    }
  };

  // All rows behind a cursor will be read: by default the plan would be one that is fast for the first tenth.
  await ask(sql`
    select set_config('statement_timeout', ${String(statementTimeoutMs)}, true),
           set_config('cursor_tuple_fraction', '1', true)`);

  return {
    async estimate() {
      const [plan] = await ask<ExplainedPlan>(sql`explain (format json) ${query}`);
      return plan?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0;
    },
    async hasMoreThan(limit) {
      const [counted] = await ask<{ total: number }>(
        sql`select count(*) as total from (${query} limit ${limit + 1}) as counted`,
      );
      return (counted?.total ?? 0) > limit;
    },
    // A cursor in SQL ends with its transaction, so that nothing has to be closed when the reader stops early; the
    // driver's own would wait for ever to be closed on a connection that has broken.
    async *batches() {
      const order = sql.join(orderBy.map((column) => sql.ref(column)));
      await ask(sql`declare report no scroll cursor for ${query} order by ${order}`);
      const fetchNext = () => {
        const rows = ask<Row>(sql`fetch ${sql.lit(batchRows)} from report`);
        // Nobody waits for it when the reader has stopped early.
        rows.catch(() => {});
        return rows;
      };
      let coming = fetchNext();
      for (;;) {
        const rows = await coming;
        const isLast = rows.length < batchRows;
        // The server works on the next batch while this one is rendered and sent.
        if (!isLast) coming = fetchNext();
        if (rows.length > 0) yield rows;
        if (isLast) return;
      }
    },
  };
}

interface ExplainedPlan {
  readonly 'QUERY PLAN': readonly [{ readonly Plan: { readonly 'Plan Rows': number } }];
}

/** What the server did not say itself is a failure of the connection. */
function presentable(error: unknown): unknown {
  const known = toAppError(error);
  if (known instanceof AppError) return known;
  return new AppError('unavailable', 'The connection to the database broke', {
    cause: error,
  });
}
