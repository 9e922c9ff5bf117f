import { userInfo } from 'node:os';
import { newId } from '../lib/core/index.ts';
import { runInContext } from '../lib/observability/index.ts';
import { commandRuntime } from '../runtime.ts';

/**
 * Runs one command on the services of the app, and closes their connections when it has ended. In the audit trail, who acts is
 * the user of the machine it runs on.
 *
 * @param options - `waitsForSecrets: false` for work that tells by itself when the vault does not give them
 */
export async function withRuntime(
  work: (services: ReturnType<typeof commandRuntime>, signal: AbortSignal) => Promise<void>,
  { waitsForSecrets = true } = {},
): Promise<void> {
  const services = commandRuntime();
  const id = newId();
  const context = {
    correlationId: id,
    functionName: 'crownsafe',
    requestId: id,
    userId: `cli:${userName()}`,
    write: undefined,
  };
  const { signal } = new AbortController();
  try {
    if (waitsForSecrets) await services.secrets.ready(signal);
    await runInContext(context, () => work(services, signal));
  } finally {
    await services.dispose();
  }
}

/** In a container, the number that a process runs under may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'nameless';
  }
}
