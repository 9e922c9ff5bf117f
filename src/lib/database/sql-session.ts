import type { Writable } from 'node:stream';
import type { DatabaseAddress } from './address.ts';
import { Client, clientConfig } from './client.ts';

/** One connection that carries out a script as it stands, such as a dump that is being restored. */
export interface SqlSession extends AsyncDisposable {
  /** Sends SQL by the simple protocol: any number of statements, no parameters; rows are not returned. */
  query(sql: string, signal: AbortSignal): Promise<void>;
  /**
   * Carries out `COPY … FROM STDIN` with the given bytes. Ends as soon as the server refuses, also while `rows` has
   * nothing to give; `rows` is then left where it is.
   */
  copyIn(copyStatement: string, rows: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
}

/**
 * Opens a connection of its own, outside of the pools, within 5 s. Dispose of it (`await using`). After an error of `copyIn`, and
 * after an abort, it is closed.
 */
export async function openSqlSession(address: DatabaseAddress): Promise<SqlSession> {
  const client = new Client(clientConfig(address));
  // A connection that breaks fails the statement under way, or the next one; unheard it would end the process.
  client.on('error', () => {});
  await client.connect();
  return {
    query: (sql, stop) => closeOnAbort(client, stop, async () => void (await client.query(sql))),
    copyIn: (statement, rows, stop) => closeOnAbort(client, stop, () => copyIn(client, statement, rows)),
    [Symbol.asyncDispose]: () => client.end(),
  };
}

/** Closing the connection is what ends a statement at once, on this side; it then fails, and the abort is the reason. */
async function closeOnAbort<T>(client: Client, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const close = () => void client.end();
  signal.addEventListener('abort', close, { once: true });
  try {
    return await work();
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', close);
  }
}

async function copyIn(client: Client, statement: string, rows: AsyncIterable<Uint8Array>): Promise<void> {
  const { default: copyStreams } = await import('pg-copy-streams');
  const copy = client.query(copyStreams.from(statement));
  const outcome = Promise.withResolvers<void>();
  copy.on('error', outcome.reject);
  copy.on('finish', outcome.resolve);
  try {
    await Promise.race([send(rows, copy), outcome.promise]);
    copy.end();
    await outcome.promise;
  } catch (error) {
    // The server may still wait for data, and a stream that failed must not be written to again.
    void client.end();
    throw error;
  }
}

/** Writes all rows, no faster than the connection takes them. */
async function send(rows: AsyncIterable<Uint8Array>, copy: Writable): Promise<void> {
  for await (const chunk of rows) {
    await new Promise<void>((resolve, reject) => {
      copy.write(chunk, (error) => (error ? reject(error) : resolve()));
    });
  }
}
