import { once } from 'node:events';
import { createServer } from 'node:net';
import { errorCode, LocalError } from '../local-error.ts';

/** Everything local listens here and nowhere else. */
export const localHostname = '127.0.0.1';

/** Why nothing can listen on the port now, as the system's error code; `undefined` when it is free. */
async function portProblem(port: number): Promise<string | undefined> {
  const server = createServer().listen(port, localHostname);
  try {
    await once(server, 'listening');
    return undefined;
  } catch (error) {
    return errorCode(error) ?? String(error);
  } finally {
    server.close();
  }
}

/**
 * Makes sure that a port can be listened on.
 *
 * @param purpose - who wants it, for the message
 * @param variable - the environment variable that changes it
 * @throws LocalError when it is taken or not allowed
 */
export async function requireFreePort(port: number, purpose: string, variable: string): Promise<void> {
  const problem = await portProblem(port);
  if (problem === undefined) return;
  const reason = problem === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${problem})`;
  throw new LocalError(
    `Port ${port}, wanted by ${purpose}, ${reason}. Stop what uses it, or choose another: ${variable}=${port + 1000} npm start`,
  );
}

/**
 * Picks free ports below those that systems hand out for outgoing connections (from 32768 on Linux, 49152 elsewhere),
 * so that a service that was stopped finds its port free when it is started again.
 */
export async function pickFreePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = 15_000 + Math.floor(Math.random() * 17_000);
    if ((await portProblem(port)) === undefined) ports.add(port);
  }
  return [...ports];
}
