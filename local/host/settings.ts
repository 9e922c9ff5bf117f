import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalError } from '../local-error.ts';
import type { Log } from '../log-lines.ts';

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

/** Reads what counts of host.json; what it does not say is as in the host. */
export function readHostSettings(appFolder: string) {
  const { extensions = {} } = JSON.parse(readFileSync(join(appFolder, 'host.json'), 'utf8'));
  const { http: { routePrefix = 'api' } = {}, queues = {} } = extensions;
  const { batchSize = 16, maxDequeueCount = 5, messageEncoding = 'base64' } = queues;
  const { newBatchThreshold = Math.floor(batchSize / 2), visibilityTimeout = '00:00:00' } = queues;
  const retryAfterSeconds = Date.parse(`1970-01-01T${visibilityTimeout}Z`) / 1000;
  if (Number.isNaN(retryAfterSeconds))
    throw new LocalError(`${visibilityTimeout} is not hh:mm:ss (host.json).`);
  return { routePrefix, batchSize, newBatchThreshold, maxDequeueCount, messageEncoding, retryAfterSeconds };
}

/** Puts app settings in the place of `%NAME%`, as the host does in schedules and queue names. */
export function resolveSettings(text: unknown, env: LocalHostOptions['env']): string {
  return String(text).replace(/%([^%]+)%/g, (_, name: string) => {
    const value = env[name];
    if (value === undefined) throw new LocalError(`A function uses the setting ${name}, which is not set.`);
    return value;
  });
}
