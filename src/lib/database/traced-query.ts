import type pg from 'pg';
import { isRecorded, withClientSpan } from '../observability/index.ts';
import { sqlStateOf } from './errors.ts';
import { describeQuery } from './query-text.ts';

/**
 * The `query` of a connection, with a span around each statement: by the conventions for databases, without parameters and
 * other values. https://opentelemetry.io/docs/specs/semconv/db/postgresql/
 */
export function tracedQuery(client: pg.PoolClient): pg.PoolClient['query'] {
  const { host, port, database } = client as pg.PoolClient & pg.Client;
  const run = client.query.bind(client) as (...args: unknown[]) => unknown;
  const traced = (...args: unknown[]): unknown => {
    const [sql] = args;
    // Kysely passes statements as text; nothing else is asked here.
    if (typeof sql !== 'string' || !isRecorded()) return run(...args);
    const { text, operation, table } = describeQuery(sql);
    const attributes = {
      'db.system.name': 'postgresql',
      'db.namespace': database,
      'db.operation.name': operation,
      'db.collection.name': table,
      'db.query.text': text,
      'server.address': host,
      'server.port': port,
    };
    return withClientSpan([operation, table].filter(Boolean).join(' '), attributes, async (span) => {
      try {
        return await run(...args);
      } catch (error) {
        span.note({ 'db.response.status_code': sqlStateOf(error) });
        throw error;
      }
    });
  };
  return traced as pg.PoolClient['query'];
}
