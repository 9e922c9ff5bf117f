import type { Buffer } from 'node:buffer';
import { isIPv4 } from 'node:net';
import { Readable } from 'node:stream';
import { type Clock, destroyOnAbort, rejectOnAbort, startDeadline } from '../../core/index.ts';
import type { DatabaseAddress } from '../../database/index.ts';
import { DumpError } from './dump-error.ts';
import { createHeaderFilter } from './header-filter.ts';
import { type PgDumpEvents, type PgDumpThread, startPgDump } from './pg-dump-thread.ts';
import { openServerSocket } from './server-socket.ts';

/** From the first packet to the server's first answer. */
const connectTimeoutMs = 5000;
/** A night's backup is worth waiting for a token longer than a request would. */
const tokenTimeoutMs = 30_000;
const streamBufferBytes = 1024 * 1024;

export interface DumpRequest {
  readonly connection: DatabaseAddress;
  /** Further arguments of pg_dump, such as `--schema-only`; the format is always plain. */
  readonly args: readonly string[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Dumps a database with pg_dump 18.3, at constant memory. Reads from PostgreSQL up to 18.
 *
 * @returns the text of a plain dump. It ends only when pg_dump has ended well; otherwise it fails with a
 * {@link DumpError} or the signal's reason. Destroying it ends pg_dump and the connection.
 */
export function dumpDatabase(request: DumpRequest): Readable {
  const header = createHeaderFilter();
  const waiting: Buffer[] = [];
  const halt = new AbortController();
  let thread: PgDumpThread | undefined;
  let isWanted = false;
  let isComplete = false;

  const deliver = () => {
    while (isWanted) {
      const chunk = waiting.shift();
      if (!chunk) break;
      thread?.taken(chunk.length);
      const text = header.write(chunk);
      if (text.length > 0) isWanted = stream.push(text);
    }
    if (isComplete && waiting.length === 0) {
      isComplete = false;
      stream.push(header.end());
      stream.push(null);
    }
  };
  const stream = new Readable({
    highWaterMark: streamBufferBytes,
    read() {
      isWanted = true;
      deliver();
    },
    destroy(error, done) {
      unlink();
      halt.abort(error);
      Promise.resolve(thread?.stop()).then(() => done(error), done);
    },
  });
  const unlink = destroyOnAbort(stream, request.signal);
  const events = {
    output(chunk: Buffer) {
      waiting.push(chunk);
      deliver();
    },
    ended(error?: DumpError) {
      if (error) stream.destroy(error);
      isComplete = !error;
      deliver();
    },
  };
  connectAndStart(request, events, halt.signal, (started) => {
    thread = started;
    if (stream.destroyed) void started.stop();
  }).catch((error) => stream.destroy(error));
  return stream;
}

/** Resolves when the server has answered for the first time. */
async function connectAndStart(
  { connection, args, clock }: DumpRequest,
  events: Omit<PgDumpEvents, 'answered'>,
  signal: AbortSignal,
  onStarted: (thread: PgDumpThread) => void,
): Promise<void> {
  const password = await passwordOf(connection, clock, signal);
  using time = startDeadline(clock, connectTimeoutMs, signal);
  try {
    const socket = await openServerSocket(connection, time.signal);
    const answer = Promise.withResolvers<void>();
    const env = { ...libpqSettings(connection, socket.remoteAddress), PGPASSWORD: password };
    onStarted(startPgDump(socket, args, env, { ...events, answered: answer.resolve }));
    await rejectOnAbort(answer.promise, time.signal);
  } catch (error) {
    if (!time.signal.aborted || signal.aborted) throw error;
    const place = `${connection.host}:${connection.port}`;
    throw new DumpError('connect_failed', `No answer from ${place} within ${connectTimeoutMs} ms`, {
      cause: error,
    });
  }
}

/** libpq is given a socket that is connected; host and port only appear in its messages. */
function libpqSettings({ host, port, user, database }: DatabaseAddress, address = '') {
  return {
    PGHOST: host,
    // An address spares it looking the name up, which it could not.
    PGHOSTADDR: isIPv4(address) ? address : '0.0.0.0',
    PGPORT: String(port),
    PGUSER: user,
    PGDATABASE: database,
  };
}

/** Asked for once per dump. @throws DumpError `connect_failed` when it is a token that nobody gives in time */
async function passwordOf(
  { password = '' }: DatabaseAddress,
  clock: Clock,
  signal: AbortSignal,
): Promise<string> {
  if (typeof password === 'string') return password;
  using time = startDeadline(clock, tokenTimeoutMs, signal);
  try {
    return await rejectOnAbort(password(), time.signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new DumpError('connect_failed', 'There was no token to log in to the database with', {
      cause: error,
    });
  }
}
