import type { Clock } from '../../src/lib/core/index.ts';
import type { Binding, TriggerMetadata, TypedData } from './protocol.ts';
import type { Env, HostSettings, Log } from './settings.ts';

/** What runs a function that is not called over HTTP. */
export interface Trigger {
  /** Runs the function as it comes due until the signal aborts; ends when the runs that have begun are over. */
  start(signal: AbortSignal): Promise<void>;
  /** Runs it once, now; rejects when it fails. */
  runNow(input: string): Promise<unknown>;
}

/** The function of a trigger, and what a trigger needs of its host. */
export interface TriggerContext {
  readonly name: string;
  readonly binding: Binding;
  readonly env: Env;
  readonly settings: HostSettings;
  readonly stateFolder: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Rejects when the function fails, which has been logged then. */
  readonly run: (input: TypedData, metadata: TriggerMetadata) => Promise<unknown>;
}
