import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalError } from '../local-error.ts';

export type HostSettings = ReturnType<typeof readHostSettings>;

/** Reads what counts of host.json; what it does not say is as in the host. */
export function readHostSettings(appFolder: string) {
  const { extensions = {} } = JSON.parse(readFileSync(join(appFolder, 'host.json'), 'utf8'));
  const { http: { routePrefix = 'api' } = {}, queues = {} } = extensions;
  const { batchSize = 16, maxDequeueCount = 5, messageEncoding = 'base64' } = queues;
  const { newBatchThreshold = Math.floor(batchSize / 2), visibilityTimeout = '00:00:00' } = queues;
  const retryAfterSeconds = Date.parse(`1970-01-01T${visibilityTimeout}Z`) / 1000;
  if (Number.isNaN(retryAfterSeconds))
    throw new LocalError(`host.json: ${visibilityTimeout} is not hh:mm:ss.`);
  return { routePrefix, batchSize, newBatchThreshold, maxDequeueCount, messageEncoding, retryAfterSeconds };
}

/** Puts app settings in the place of `%NAME%`, as the host does in schedules and queue names. */
export function resolveSettings(text: unknown, env: Readonly<Record<string, string>>): string {
  return String(text).replace(/%([^%]+)%/g, (_, name: string) => {
    const value = env[name];
    if (value === undefined) throw new LocalError(`A function uses the setting ${name}, which is not set.`);
    return value;
  });
}
