import { type Patience, poll } from './poll.ts';
import { type Answer, excerpt, request } from './request.ts';

/** What was deployed, and where. */
export interface Deployment {
  /** Address of the API, without a slash at its end. */
  readonly apiUri: string;
  /** Version of the package that was deployed. */
  readonly version: string;
}

/** The answers of the app, as far as they matter here; the platform may answer in its place. */
interface Health {
  readonly version?: unknown;
  readonly checks?: readonly { readonly name?: string; readonly status?: string }[];
}

/**
 * Asks the deployed app until it is the version that was deployed, and can do its work: database and storage are within
 * its reach, and its settings are usable.
 *
 * @throws LocalError with the last answer when that does not come true within `patience`
 */
export async function smokeTest({ apiUri, version }: Deployment, patience: Patience): Promise<void> {
  await poll(patience, async (signal) => {
    const ready = await request('GET', `${apiUri}/api/healthz`, { signal });
    if ('waitFor' in ready) return ready;
    if (ready.status !== 200) return { waitFor: `${apiUri}/api/healthz to be 200 (${describe(ready)})` };
    const alive = await request('GET', `${apiUri}/healthz`, { signal });
    if ('waitFor' in alive) return alive;
    if (alive.status === 200 && healthIn(alive).version === version) return { done: undefined };
    return { waitFor: `version ${version} at ${apiUri}/healthz (${describe(alive)})` };
  });
}

/** Without times and durations, which would make every answer look new. */
function describe(answer: Answer): string {
  const { version, checks } = healthIn(answer);
  if (Array.isArray(checks)) {
    return `${answer.status}, ${checks.map(({ name, status }) => `${name} ${status}`).join(', ')}`;
  }
  return typeof version === 'string' ? `${answer.status}, version ${version}` : excerpt(answer);
}

function healthIn({ json }: Answer): Health {
  return typeof json === 'object' && json !== null ? json : {};
}
