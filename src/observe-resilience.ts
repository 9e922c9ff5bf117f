import type { Clock } from './lib/core/index.ts';
import type { Logger, Metrics } from './lib/observability/index.ts';
import { isHouseMissing, kindOf, type Resilience, type ResilienceEvent } from './lib/resilience/index.ts';

/** Turns what the policies tell into log lines and counters; the policies themselves know neither. */
export function observeResilience(root: Logger, metrics: Metrics): (event: ResilienceEvent) => void {
  const logger = root.child('resilience');
  const retries = metrics.counter('resilience_retries_total', 'Calls to a dependency that were tried again');
  const rejections = metrics.counter(
    'resilience_rejections_total',
    'Calls that were not let through to a dependency',
  );
  const transitions = metrics.counter('resilience_breaker_transitions_total', 'Changes of circuit breakers');
  const orders = metrics.counter(
    'resilience_breaker_mode_changes_total',
    'Orders of operators that this instance has begun to follow',
  );
  return (event) => {
    const { dependency } = event;
    // Hosts of webhooks share a series: a counter is kept for ever, and log lines name the host.
    const kind = kindOf(dependency);
    switch (event.type) {
      case 'retry':
        retries.add({ dependency: kind });
        logger.warning('a call is tried again', {
          dependency,
          operation: event.operation,
          attempt: event.attempt,
          delay_ms: Math.round(event.delayMs),
          error: event.error,
        });
        break;
      case 'give_up': {
        const { type: _type, level, error, ...fields } = event;
        if (isHouseMissing(error)) logger.debug('a call has to make its container first', fields);
        // What is missing or in conflict is part of life: its code says enough, a stack would only alarm.
        else logger[level]('a call failed', level === 'error' ? { ...fields, error } : fields);
        break;
      }
      case 'rejected':
        rejections.add({ dependency: kind, by: event.by });
        logger.warning('a call was not let through', { dependency, by: event.by });
        break;
      case 'breaker':
        transitions.add({ dependency: kind, state: event.state });
        logger.warning('a circuit breaker changed', { dependency, state: event.state });
        break;
      case 'breaker_mode':
        orders.add({ dependency: kind, mode: event.after });
        logger.warning('an order of an operator for a circuit breaker holds from now on', {
          dependency,
          by: event.by,
          before: event.before,
          after: event.after,
        });
        break;
    }
  };
}

/**
 * Tells of each call to a dependency how long it took, retries and waits included, and what came of it: what an operator looks at
 * first when a request has failed.
 */
export function tellOfCalls(resilience: Resilience, clock: Clock, root: Logger): Resilience {
  const logger = root.child('resilience');
  return {
    ...resilience,
    async run(dependency, operation, fn, options) {
      const startedMs = clock.monotonicMs();
      const tell = (outcome: string) => {
        const duration_ms = Math.round(clock.monotonicMs() - startedMs);
        logger.debug('a call has ended', { dependency, operation, duration_ms, outcome });
      };
      try {
        const result = await resilience.run(dependency, operation, fn, options);
        tell('ok');
        return result;
      } catch (error) {
        tell(wordFor(error));
        throw error;
      }
    },
  };
}

/** The shortest name of an error: its code, else its class. */
function wordFor(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
