import { LocalError } from '../../local/local-error.ts';
import { type Patience, poll, type Waiting } from './poll.ts';
import { type Answer, excerpt, request } from './request.ts';

/** The API of a deployed app. */
export interface Api {
  /** Without a slash at its end. */
  readonly uri: string;
  /** An API key with the scopes `backups:write` and `backups:read`. */
  readonly key: string;
}

/** What the answers hold that matters here. */
interface Backup {
  readonly name?: string;
  readonly status?: string;
  readonly code?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/**
 * Has the app back up its database, and waits until the backup is stored. One that is under way already began before now,
 * so it is waited for, and another is taken.
 *
 * @returns its name
 * @throws LocalError when the backup fails, the app refuses, or it takes longer than `patience`
 */
export async function takeBackup(api: Api, patience: Patience): Promise<string> {
  const name = await poll(patience, async (signal) => {
    const answer = await ask(api, 'POST', '', signal);
    if ('waitFor' in answer) return answer;
    const backup = read(answer);
    if (answer.status === 202 && backup.name) return { done: backup.name };
    if (backup.code === 'backup_running') return { waitFor: 'the end of a backup that is under way' };
    return refused(answer);
  });
  await poll(patience, async (signal) => {
    const answer = await ask(api, 'GET', `/${name}`, signal);
    if ('waitFor' in answer) return answer;
    if (answer.status !== 200) return refused(answer);
    const { status, error } = read(answer);
    if (status === 'stored' || status === 'verified') return { done: undefined };
    if (status !== 'queued' && status !== 'running')
      throw new LocalError(`The backup ${name} is ${status}: ${error?.message ?? 'the app says no more'}`);
    return { waitFor: `the backup ${name}, which is ${status}` };
  });
  return name;
}

async function ask(api: Api, method: string, path: string, signal: AbortSignal) {
  return request(method, `${api.uri}/api/v1/backups${path}`, { headers: { 'x-api-key': api.key }, signal });
}

function read(answer: Answer): Backup {
  return (answer.json ?? {}) as Backup;
}

function refused(answer: Answer): Waiting {
  if (answer.status === 429 || answer.status >= 500) return { waitFor: `the app (${excerpt(answer)})` };
  if (answer.status === 401 || answer.status === 403)
    throw new LocalError(
      `The app does not accept BACKUP_API_KEY for backups (${excerpt(answer)}). Make one with \`npm run deploy:crownsafe -- keys create --name deployment --scopes backups:write,backups:read\`.`,
    );
  throw new LocalError(`The app takes no backup: ${excerpt(answer)}`);
}
