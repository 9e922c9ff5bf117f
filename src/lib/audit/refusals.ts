import { type Clock, startDeadline } from '../core/index.ts';
import type { AuditEntry } from '../database/index.ts';
import { currentContext, type Logger } from '../observability/index.ts';

interface RefusalPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly write: (entry: AuditEntry, signal: AbortSignal) => Promise<void>;
}

/** What was refused to whom stands in the trail once in this time, or one caller could fill it. */
const quietMs = 60_000;
/** Callers and endpoints that are remembered; with more, some stand in the trail more often. */
const maxRemembered = 10_000;
/** A refusal does not wait longer for the trail. */
const writeMs = 2_000;

/** Notes that a caller, whom the credential has proven, was refused an endpoint. Never rejects: a refusal stays one. */
export type NoteRefusal = (endpoint: string, scope: string) => Promise<void>;

/** Makes the notes of refusals: one a minute, on this instance, for each caller and endpoint. */
export function createRefusals({ clock, logger, write }: RefusalPorts): NoteRefusal {
  const noted = new Map<string, number>();
  return async (endpoint, scope) => {
    const key = `${currentContext()?.userId} ${endpoint}`;
    const now = clock.monotonicMs();
    if (now - (noted.get(key) ?? Number.NEGATIVE_INFINITY) < quietMs) return;
    if (noted.size >= maxRemembered) noted.clear();
    noted.set(key, now);
    using time = startDeadline(clock, writeMs);
    const entry = { action: 'endpoint.call', object: { type: 'endpoint', id: endpoint }, after: { scope } };
    await write(entry, time.signal).catch((error: unknown) => {
      noted.delete(key);
      logger.warning('a refusal could not be written into the audit trail', { endpoint, error });
    });
  };
}
