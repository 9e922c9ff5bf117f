import { commandRuntime } from '../runtime.ts';

/** Runs one command on the services of the app, and closes their connections when it has ended. */
export async function withRuntime(
  work: (services: ReturnType<typeof commandRuntime>, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const services = commandRuntime();
  const { signal } = new AbortController();
  try {
    await services.secrets.ready(signal);
    await work(services, signal);
  } finally {
    await services.dispose();
  }
}
