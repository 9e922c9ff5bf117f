import type { Caches } from './lib/cache/index.ts';
import { type Clock, startDeadline } from './lib/core/index.ts';
import type { Database } from './lib/database/index.ts';
import type { Metrics } from './lib/observability/index.ts';
import type { Resilience } from './lib/resilience/index.ts';

/** Where the values lie. Those that lie elsewhere than in this process are asked for within a time. */
interface GaugeSources {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly resilience: Resilience;
  readonly database: Database;
  readonly caches: Caches;
  uptimeSeconds(): number;
  poisonCount(signal: AbortSignal): Promise<number>;
  unsealedAgeSeconds(signal: AbortSignal): Promise<number>;
  storedBytes(signal: AbortSignal): Promise<number>;
}

/**
 * A scrape does not wait longer for a value that lies elsewhere: its other series are needed most when the database is
 * slow, and Prometheus itself gives up after 10 s.
 */
const readMs = 1_000;

/** Declares the series whose value is read when somebody asks. */
export function declareGauges(sources: GaugeSources): void {
  const { clock, metrics, resilience, database, caches } = sources;

  const value = (read: () => number) => () => [{ labels: {}, value: read() }];
  const asked = (read: (signal: AbortSignal) => Promise<number>) => async () => {
    using deadline = startDeadline(clock, readMs);
    return [{ labels: {}, value: await read(deadline.signal) }];
  };

  metrics.gauge('app_uptime_seconds', 'Seconds since this process started', value(sources.uptimeSeconds));
  metrics.gauge(
    'jobs_poison',
    'Jobs given up, for somebody to look at; the same for all instances',
    asked(sources.poisonCount),
  );
  metrics.gauge(
    'audit_unsealed_age_seconds',
    'Age of the oldest row of the audit trail without a seal; the same for all instances',
    asked(sources.unsealedAgeSeconds),
  );
  metrics.gauge('azure_blob_storage_bytes', 'Bytes of the files that are kept', asked(sources.storedBytes));
  metrics.gauge('resilience_breaker_open', '1 while calls to a dependency are held back', () =>
    resilience.states().map(({ name, state }) => ({
      labels: { dependency: name },
      value: state === 'open' ? 1 : 0,
    })),
  );
  metrics.gauge('database_connections_active', 'Database connections in use', () =>
    Object.entries(database.connections()).map(([pool, { active }]) => ({ labels: { pool }, value: active })),
  );
  const ofCaches = (figure: 'hits' | 'misses' | 'size_bytes') => () =>
    caches.statistics().regions.map((region) => ({ labels: { region: region.name }, value: region[figure] }));
  metrics.observedCounter('cache_hits_total', 'Lookups that a cache answered', ofCaches('hits'));
  metrics.observedCounter('cache_misses_total', 'Lookups that a cache did not answer', ofCaches('misses'));
  metrics.gauge('cache_size_bytes', 'Memory that a cache takes', ofCaches('size_bytes'));
}
