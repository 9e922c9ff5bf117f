import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/lib/observability/index.ts';

/** The series of a scrape without comments and timestamps. */
async function seriesOf(metrics: ReturnType<typeof createMetrics>): Promise<string[]> {
  const text = await metrics.render();
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('createMetrics', () => {
  it('renders a counter under its exact name, with the instance in its labels', async () => {
    const metrics = createMetrics('i1');
    const counter = metrics.counter('http_requests_total', 'HTTP requests answered');

    counter.add({ method: 'GET', status: '200' });
    counter.add({ method: 'GET', status: '200' }, 2);
    counter.add({ method: 'GET', status: '404' });

    expect(await metrics.render()).toContain(
      '# HELP http_requests_total HTTP requests answered\n# TYPE http_requests_total counter\n',
    );
    expect(await seriesOf(metrics)).toEqual([
      'http_requests_total{method="GET",status="200",instance="i1"} 3',
      'http_requests_total{method="GET",status="404",instance="i1"} 1',
    ]);
  });

  it.each(['http_request_duration_seconds', 'report_seconds'])(
    'renders %s with the buckets of durations',
    async (name) => {
      const metrics = createMetrics('i1');
      const histogram = metrics.durationHistogram(name, 'How long it took');

      for (const seconds of [0.001, 0.02, 3, 60]) histogram.record({ kind: 'a' }, seconds);

      const labels = 'kind="a",instance="i1"';
      const counts = [1, 1, 2, 2, 2, 2, 2, 2, 2, 3, 3, 4];
      const bounds = ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '10', '+Inf'];
      expect(await seriesOf(metrics)).toEqual([
        `${name}_count{${labels}} 4`,
        `${name}_sum{${labels}} 63.021`,
        ...bounds.map((bound, index) => `${name}_bucket{${labels},le="${bound}"} ${counts[index]}`),
      ]);
    },
  );

  it('reads a gauge when it is asked for', async () => {
    const metrics = createMetrics('i1');
    let active = 1;
    metrics.gauge('database_connections_active', 'Connections in use', () => [
      { labels: { pool: 'app' }, value: active },
      { labels: { pool: 'direct' }, value: 0 },
    ]);

    active = 5;

    expect(await seriesOf(metrics)).toEqual([
      'database_connections_active{pool="app",instance="i1"} 5',
      'database_connections_active{pool="direct",instance="i1"} 0',
    ]);
    expect(await metrics.render()).toContain('# TYPE database_connections_active gauge\n');
  });

  it('waits for a gauge whose value lies elsewhere', async () => {
    const metrics = createMetrics('i1');
    metrics.gauge('jobs_poison', 'Jobs given up', async () => [{ labels: {}, value: 3 }]);

    expect(await seriesOf(metrics)).toEqual(['jobs_poison{instance="i1"} 3']);
  });

  it('leaves out a gauge that cannot be read, and only that', async () => {
    const metrics = createMetrics('i1');
    metrics.gauge('broken', 'Cannot be read', () => {
      throw new Error('the database is down');
    });
    metrics.gauge('rejecting', 'Cannot be read', () => Promise.reject(new Error('the database is down')));
    metrics.gauge('app_uptime_seconds', 'Seconds since the start', () => [{ labels: {}, value: 7 }]);

    expect(await seriesOf(metrics)).toEqual(['app_uptime_seconds{instance="i1"} 7']);
  });

  it('waits for a gauge that has to ask somebody, and leaves it out when that fails', async () => {
    const metrics = createMetrics('i1');
    metrics.gauge('azure_blob_storage_bytes', 'Bytes', async () => [{ labels: {}, value: 5 }]);
    metrics.gauge('broken', 'Cannot be read', () => Promise.reject(new Error('the database is down')));

    expect(await seriesOf(metrics)).toEqual(['azure_blob_storage_bytes{instance="i1"} 5']);
  });

  it('renders what somebody else counts as a counter', async () => {
    const metrics = createMetrics('i1');
    let hits = 1;
    metrics.observedCounter('cache_hits_total', 'Hits', () => [{ labels: { region: 'a' }, value: hits }]);

    hits = 7;

    expect(await seriesOf(metrics)).toEqual(['cache_hits_total{region="a",instance="i1"} 7']);
    expect(await metrics.render()).toContain('# TYPE cache_hits_total counter\n');
  });

  it('quotes what labels may hold', async () => {
    const metrics = createMetrics('i1');

    metrics.counter('odd_total', 'Odd labels').add({ name: 'a"b\\c\nd' });

    expect(await seriesOf(metrics)).toEqual(['odd_total{name="a\\"b\\\\c\\nd",instance="i1"} 1']);
  });

  it('counts what two parts of the program count under one name together', async () => {
    const metrics = createMetrics('i1');

    metrics.counter('shared_total', 'Shared').add({});
    metrics.counter('shared_total', 'Shared').add({});

    expect(await seriesOf(metrics)).toEqual(['shared_total{instance="i1"} 2']);
  });

  it('renders nothing before anything happened', async () => {
    expect(await seriesOf(createMetrics('i1'))).toEqual([]);
  });
});
