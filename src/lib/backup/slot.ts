import { AppError, type Clock, newId } from '../core/index.ts';
import type { StoredEntity, TableStore } from '../storage/index.ts';

/** One backup at a time: whoever holds the slot is queued or running. */
export interface Slot {
  /**
   * Takes the slot for a queued backup. A holder that has not been heard of for too long, or that never came into the
   * catalog, loses it.
   *
   * @throws AppError `backup_running` while another backup holds it
   */
  claim(name: string, holders: Holders, signal: AbortSignal): Promise<void>;
  /**
   * Marks the backup as running. `undefined` when the slot is not, or no longer, that of this backup.
   *
   * @throws AppError `backup_running` while another run of the same backup is alive
   */
  start(name: string, signal: AbortSignal): Promise<SlotRun | undefined>;
  /** Frees the slot of a holder that has not been heard of for too long, after it was settled. */
  freeDead(settle: (name: string) => Promise<unknown>, signal: AbortSignal): Promise<void>;
  /** Gives the slot back if this backup holds it, and no run of it has begun. */
  release(name: string, signal: AbortSignal): Promise<void>;
}

/** What the slot must know of backups that hold it. */
export interface Holders {
  /** The one who claims may have done so before, and not have heard of it. Left out: it has not. */
  readonly mayBeUs?: boolean;
  /** Called for one that loses the slot, before it changes hands. */
  settle(name: string): Promise<unknown>;
  isListed(name: string): Promise<boolean>;
}

/** A run that holds the slot. */
export interface SlotRun {
  /** Says that it is alive. Returns false when the slot has gone to somebody else. */
  beat(signal: AbortSignal): Promise<boolean>;
  /** Ends the run, not the backup: it keeps the slot, as when it was queued, and may be started again at once. */
  handBack(signal: AbortSignal): Promise<void>;
  /** Ends run and backup: gives the slot back, unless it has gone to somebody else. */
  release(signal: AbortSignal): Promise<void>;
}

const key = { partitionKey: 'slot', rowKey: 'active' };
/** A run beats every 30 s and gives up when it could not for 4 min; after 5 min it is surely over. */
const runningStaleMs = 5 * 60_000;
/** The queue is empty within minutes; a message that has not come in an hour is lost. */
const queuedStaleMs = 60 * 60_000;
/**
 * A backup is listed right after it has the slot, which takes two minutes with all retries at the worst; one that is not
 * by then was cut off in between.
 */
const unlistedStaleMs = 3 * 60_000;
/** Two writers meet now and then; many rounds of it mean something else. */
const maxTries = 5;

interface Holder {
  readonly name: string;
  /** Empty while the backup is queued. */
  readonly run: string;
  readonly etag: string;
  readonly ageMs: number;
}

export function createSlot({ table, clock }: { readonly table: TableStore; readonly clock: Clock }): Slot {
  const row = (name: string, run: string) => ({ ...key, name, run, heartbeat: BigInt(clock.now()) });
  const holder = async (signal: AbortSignal): Promise<Holder | undefined> => {
    const stored = await table.get(key.partitionKey, key.rowKey, { signal });
    return stored && readHolder(stored, clock.now());
  };

  return {
    async claim(name, holders, signal) {
      for (let tries = 1; tries <= maxTries; tries++) {
        if (await table.insert(row(name, ''), { signal })) return;
        const current = await holder(signal);
        if (!current) continue;
        if (holders.mayBeUs && current.name === name && current.run === '') {
          // Written anew, so that nobody who thought it abandoned frees it.
          if (await table.replace(row(name, ''), { signal, ifMatch: current.etag })) return;
          continue;
        }
        if (!isStale(current) && !(await isUnlisted(current, holders))) {
          throw new AppError('backup_running', `${current.name} is ${current.run ? 'running' : 'queued'}`);
        }
        await free(current, holders.settle, signal);
      }
      throw new AppError('backup_running', 'Somebody else is asking for a backup, too');
    },
    async start(name, signal) {
      const current = await holder(signal);
      if (current?.name !== name) return undefined;
      const run = newId();
      if (
        (current.run && !isStale(current)) ||
        !(await table.replace(row(name, run), { signal, ifMatch: current.etag }))
      ) {
        throw new AppError('backup_running', `${name} is running`);
      }
      const write = async (next: string, writeSignal: AbortSignal) => {
        const now = await holder(writeSignal);
        if (now?.run !== run) return false;
        return await table.replace(row(name, next), { signal: writeSignal, ifMatch: now.etag });
      };
      return {
        beat: (beatSignal) => write(run, beatSignal),
        handBack: async (endSignal) => void (await write('', endSignal)),
        release: (endSignal) => release(name, run, endSignal),
      };
    },
    async freeDead(settle, signal) {
      const current = await holder(signal);
      if (current && isStale(current)) await free(current, settle, signal);
    },
    release: (name, signal) => release(name, '', signal),
  };

  /** Takes the slot first, so that a late run of the same backup cannot begin while the backup is settled. */
  async function free(dead: Holder, settle: Holders['settle'], signal: AbortSignal): Promise<void> {
    const settling = row(dead.name, newId());
    if (!(await table.replace(settling, { signal, ifMatch: dead.etag }))) return;
    await settle(dead.name);
    await release(dead.name, settling.run, signal);
  }

  async function release(name: string, run: string, signal: AbortSignal): Promise<void> {
    for (let tries = 1; tries <= maxTries; tries++) {
      const current = await holder(signal);
      if (current?.name !== name || current.run !== run) return;
      // A last beat may have come between.
      if (await table.delete(key.partitionKey, key.rowKey, { signal, ifMatch: current.etag })) return;
    }
  }
}

function readHolder({ entity, etag }: StoredEntity, nowMs: number): Holder {
  return {
    name: String(entity['name']),
    run: String(entity['run']),
    etag,
    ageMs: nowMs - Number(entity['heartbeat']),
  };
}

function isStale({ run, ageMs }: Holder): boolean {
  return ageMs > (run ? runningStaleMs : queuedStaleMs);
}

async function isUnlisted({ name, run, ageMs }: Holder, holders: Holders): Promise<boolean> {
  return run === '' && ageMs > unlistedStaleMs && !(await holders.isListed(name));
}
