import type { IncomingMessage } from 'node:http';
import { AppError, type Clock, isAppError } from '../core/index.ts';

/** How often it is looked at: once for most bodies, and no timer for each chunk. */
const windowMs = 20_000;
/** 1 KiB a second. A telephone at the edge of a network sends ten times as much. */
const minWindowBytes = 20 * 1024;

/**
 * Watches a body come in. `onSlow` is called with an AppError `request_timeout` when the handler has waited for the client
 * alone and less than 20 KiB came in 20 s: whoever sends a byte now and then would else hold a request until its deadline.
 * While the handler does something else, a body may wait.
 *
 * @returns what ends the watch
 */
export function watchBody(
  clock: Clock,
  request: IncomingMessage,
  onSlow: (error: AppError) => void,
): Disposable {
  if (request.complete) return { [Symbol.dispose]: () => {} };
  let seenBytes = request.socket.bytesRead;
  const look = () => {
    if (request.complete) return;
    const receivedBytes = request.socket.bytesRead - seenBytes;
    seenBytes += receivedBytes;
    if (isWaitedFor(request) && receivedBytes < minWindowBytes) {
      return onSlow(new AppError('request_timeout', 'The body came slower than 1 KiB a second'));
    }
    cancel = clock.after(windowMs, look);
  };
  let cancel = clock.after(windowMs, look);
  return { [Symbol.dispose]: () => cancel() };
}

/** Somebody reads, and has taken all that there was. */
function isWaitedFor(request: IncomingMessage): boolean {
  return request.readableDidRead && request.readableLength === 0;
}

/** Of a deadline that ran out while the client was still sending, the client is told so: the time was not ours. */
export function blameSlowBody(error: unknown, request: IncomingMessage): unknown {
  if (!isAppError(error, 'deadline_exceeded') || request.complete || !isWaitedFor(request)) return error;
  return new AppError('request_timeout', 'The body did not end within the time for this request', {
    cause: error,
  });
}
