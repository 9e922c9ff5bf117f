import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalError } from '../local-error.ts';

export type Log = (level: 'debug' | 'information' | 'warning' | 'error', message: string) => void;

/** App settings: the environment of the worker. */
export type Env = Readonly<Record<string, string>>;

/** What counts of host.json. */
export interface HostSettings {
  /** `undefined` for no limit. */
  readonly functionTimeoutMs: number | undefined;
  readonly routePrefix: string;
  readonly batchSize: number;
  readonly newBatchThreshold: number;
  readonly maxDequeueCount: number;
  readonly messageEncoding: 'none' | 'base64';
  /** The wait before a message that failed is tried again. */
  readonly retryAfterSeconds: number;
}

/** Reads host.json; what it does not say is as in the host on the Flex plan. */
export async function readHostSettings(appFolder: string): Promise<HostSettings> {
  const hostJson = JSON.parse(await readFile(join(appFolder, 'host.json'), 'utf8'));
  const { functionTimeout = '00:30:00', extensions: { http = {}, queues = {} } = {} } = hostJson;
  const { batchSize = 16, visibilityTimeout = '00:00:00' } = queues;
  return {
    functionTimeoutMs: functionTimeout === '-1' ? undefined : seconds(functionTimeout) * 1000,
    routePrefix: http.routePrefix ?? 'api',
    batchSize,
    newBatchThreshold: queues.newBatchThreshold ?? Math.floor(batchSize / 2),
    maxDequeueCount: queues.maxDequeueCount ?? 5,
    messageEncoding: queues.messageEncoding ?? 'base64',
    retryAfterSeconds: seconds(visibilityTimeout),
  };
}

/** Reads a .NET time span, `[d.]hh:mm:ss`, in seconds. */
function seconds(text: string): number {
  const [, d = '0', h, m, s] = /^(?:(\d+)\.)?(\d+):(\d+):(\d+)$/.exec(text) ?? [];
  if (!s) throw new LocalError(`"${text}" in host.json is not a time span like 00:05:00.`);
  return ((Number(d) * 24 + Number(h)) * 60 + Number(m)) * 60 + Number(s);
}

/** Puts app settings in the place of `%NAME%`, as the host does in schedules and queue names. */
export function resolveSettings(text: unknown, env: Env): string {
  return String(text).replace(/%([^%]+)%/g, (_, name: string) => {
    const value = env[name];
    if (value === undefined) throw new LocalError(`A function uses the setting ${name}, which is not set.`);
    return value;
  });
}
