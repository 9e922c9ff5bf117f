import process from 'node:process';
import { LocalError } from './local-error.ts';

/** `npm` passes on a Ctrl-C that the terminal has sent to us as well; what comes this soon is the same one. */
const sameKeyPressMs = 500;

/** The reason of an abort that the user wanted. */
const stoppedByUser = new Error('stopped by the user');

/**
 * Runs a command that goes on until it is told to end. `stop` aborts at the first Ctrl-C (or SIGTERM, or when the
 * terminal closes), so that the command can stop what it has started, in order. A second Ctrl-C ends this process at
 * once; the services end by themselves then.
 */
export async function runCommand(work: (stop: AbortController) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  abortOnSignals(stop);
  if (process.env['npm_lifecycle_event'] !== undefined) abortWithoutParent(stop);
  try {
    await work(stop);
  } catch (error) {
    if (stop.signal.reason === stoppedByUser) return console.log('Stopped.');
    process.exitCode = 1;
    console.error(error instanceof LocalError ? `\n${error.message}\n` : error);
  }
}

function abortOnSignals(stop: AbortController): void {
  let firstAt = 0;
  const onSignal = () => {
    if (!stop.signal.aborted) {
      firstAt = Date.now();
      stop.abort(stoppedByUser);
    } else if (Date.now() - firstAt > sameKeyPressMs) process.exit(130);
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
}

/** A SIGTERM to npm reaches its shell but not us: both end, and we find ourselves with another parent. */
function abortWithoutParent(stop: AbortController): void {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid !== parent) stop.abort(stoppedByUser);
  }, 500);
  watch.unref();
}

/** Waits until the signal aborts, and throws its reason. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
