import { currentContext, type Logger, writeKeptLines } from './lib/observability/index.ts';

/** The part of `process` that tells what goes wrong in it. */
type ProcessEvents = Pick<NodeJS.Process, 'on' | 'off' | 'listeners'>;

/**
 * Puts into the log what the process itself has to say, so that it can be found and holds no secrets.
 *
 * An error that nobody caught, a rejected promise included, is only written down here: after it nothing is known of the state of
 * the process, so it has to end. The worker does that (it exits with 1), and the host starts another one; whoever was being served
 * gets no answer from this one. What the worker writes of the error by itself cannot be kept from being written.
 */
export function observeProcess(root: Logger, events: ProcessEvents): void {
  const logger = root.child('process');
  events.on('uncaughtExceptionMonitor', (error, origin) => {
    // The platform's log of the invocation is sent later, which will not be.
    const context = currentContext();
    if (context) context.write = undefined;
    writeKeptLines();
    logger.error('an error that nobody caught ends the process', { origin, error });
  });
  // Node.js prints warnings as text of several lines, by a listener of its own.
  for (const listener of events.listeners('warning'))
    if (listener.name === 'onWarning') events.off('warning', listener as () => void);
  events.on('warning', (warning) => logger.warning('the runtime warns', { error: warning }));
}
