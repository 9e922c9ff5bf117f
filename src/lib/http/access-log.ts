import { AppError, type Clock } from '../core/index.ts';
import { type Logger, type Metrics, writeKeptLines } from '../observability/index.ts';

/** Status for logs and metrics only, as nginx counts it; it is never sent. */
export const clientGoneStatus = 499;

/** Writes the one log line of each request and counts it. */
export interface AccessLog {
  /** Starts the time of a request; call the function it gives once, when the request is over. */
  start(method: string, route: string): (status: number, error: unknown) => void;
}

/** Makes the access log. */
export function createAccessLog(clock: Clock, logger: Logger, metrics: Metrics): AccessLog {
  const requests = metrics.counter('http_requests_total', 'HTTP requests answered');
  const durations = metrics.durationHistogram(
    'http_request_duration_seconds',
    'Time until the answer was handed over, of a stream until its last byte',
  );
  return {
    start(method, route) {
      const startedMs = clock.monotonicMs();
      const endpoint = `/${route}`;
      return (status, error) => {
        const durationMs = clock.monotonicMs() - startedMs;
        requests.add({ method, endpoint, status: String(status) });
        durations.record({ method, endpoint }, durationMs / 1000);
        log({ method, endpoint, status, duration_ms: Math.round(durationMs) }, error);
      };
    },
  };

  /** Only what is ours to mend is an error; whatever breaks off an answer that has begun is, also what could have refused it. */
  function log(fields: { readonly status: number } & Record<string, unknown>, error: unknown): void {
    if (fields.status === clientGoneStatus) logger.info('the client has gone', fields);
    else if (error === undefined) logger.info('request answered', fields);
    else if (error instanceof AppError && error.status < 500 && error.status === fields.status) {
      logger.info('request refused', { ...fields, code: error.code });
    } else {
      writeKeptLines();
      logger.error('request failed', { ...fields, error });
    }
  }
}
