import type { Clock } from '../../src/lib/core/index.ts';
import type { Log } from '../log-lines.ts';
import type { HostSettings } from './settings.ts';

export interface LocalHostOptions {
  /** Holds package.json, whose `main` is the built app, and host.json. */
  readonly appFolder: string;
  /** 0 for any free port. */
  readonly port: number;
  /** The whole environment of the worker; also the source of `%SETTING%` and `AzureWebJobs.<name>.Disabled`. */
  readonly env: Readonly<Record<string, string>>;
  /** Where timers remember when they are due. */
  readonly stateFolder: string;
  /** Receives the lines of the host and of the worker. */
  readonly log: Log;
  /** Lets a request whose function failed hang, as in Azure, instead of answering 500. */
  readonly strict?: boolean;
}

/** A function as the app registered it; `trigger` is the name of its trigger binding. */
export interface FunctionInfo {
  readonly name: string;
  readonly trigger: string;
  readonly binding: { type: string; route?: string; methods?: string[]; [key: string]: unknown };
}

/** A value for a function, in the words of the Functions RPC contract. */
export type TypedData = { string: string } | { json: string } | { http: object };
export type TriggerMetadata = Record<string, TypedData>;
export type Invocation = { readonly invocationId: string; readonly functionId: string };

/** What a worker says: a line to log, or the outcome of an invocation or, without id, of loading the app. */
export type WorkerMessage = { level: string; log: string } | { id?: string; value?: unknown; error?: string };

/** The function of a timer or a queue, and what its trigger needs of the host. */
export interface TriggerContext extends Pick<LocalHostOptions, 'env' | 'stateFolder' | 'log'> {
  readonly name: string;
  readonly binding: FunctionInfo['binding'];
  readonly settings: HostSettings;
  readonly clock: Clock;
  /** Rejects when the function fails, which has been logged then. */
  readonly run: (input: TypedData, metadata: TriggerMetadata) => Promise<unknown>;
}

/** Runs the function as it comes due until the signal aborts; ends when the runs that have begun are over. */
export type Trigger = (signal: AbortSignal) => Promise<void>;
