import { textOf } from './error-fields.ts';
import { judgeNetworkCode } from './network-errors.ts';
import { AttemptTimeoutError } from './timeout.ts';
import type { Verdict } from './verdict.ts';

/**
 * SQLSTATEs, or their classes (the first two characters); the longer match counts. All others: the statement is at fault
 * (`answered`), or it was ended as it should be (57014, 55P03).
 *
 * Source: postgresql.org/docs/current/errcodes-appendix.html.
 */
export const sqlStates: ReadonlyMap<string, Verdict> = new Map([
  // Connection exceptions: before a session exists nothing is done, afterwards nobody knows.
  ['08', 'lost'],
  ['08001', 'refused'],
  ['08004', 'refused'],
  // Read-only transaction: the server has just become a standby.
  ['25006', 'refused'],
  // Serialization failure and deadlock: undone as a whole.
  ['40001', 'clashed'],
  ['40P01', 'clashed'],
  ['40003', 'lost'],
  // Out of disk, memory or another limit: waiting a second does not help.
  ['53', 'broken'],
  ['53300', 'refused'],
  // Administrator shutdown, crash, starting up or shutting down, session ended for idling.
  ['57P01', 'lost'],
  ['57P02', 'lost'],
  ['57P03', 'refused'],
  // The database is gone.
  ['57P04', 'broken'],
  ['57P05', 'lost'],
  // System and internal errors.
  ['58', 'broken'],
  ['XX', 'broken'],
]);

/**
 * The driver has no codes of its own; texts as in client.js and connection.js of pg 8.23 and index.js of pg-pool 3. The
 * first that begins the message counts.
 */
export const driverMessages: readonly (readonly [text: string, verdict: Verdict])[] = [
  // Nobody gave a connection back in time.
  ['timeout exceeded when trying to connect', 'crowded'],
  ['timeout expired', 'refused'],
  ['Connection terminated due to connection timeout', 'refused'],
  ['Connection terminated', 'lost'],
  ['Client has encountered a connection error', 'lost'],
  ['Client was closed and is not queryable', 'lost'],
  ['The server does not support SSL connections', 'broken'],
  // What a server answers that has no process left for another session.
  ['There was an error establishing an SSL connection', 'refused'],
  ['Query read timeout', 'lost'],
];

const sqlState = /^[0-9A-Z]{5}$/;

/** Reads an error of the PostgreSQL server or of the `pg` driver by its shape. */
export function judgePostgresError(error: unknown): Verdict {
  if (error instanceof AttemptTimeoutError) return 'lost';
  const code = textOf(error, 'code');
  // First: EPIPE has the form of an SQLSTATE.
  const network = judgeNetworkCode(code);
  if (network) return network;
  if (sqlState.test(code)) return judgeSqlState(code);
  const message = textOf(error, 'message');
  return driverMessages.find(([text]) => message.startsWith(text))?.[1] ?? 'foreign';
}

function judgeSqlState(state: string): Verdict {
  return sqlStates.get(state) ?? sqlStates.get(state.slice(0, 2)) ?? 'answered';
}
