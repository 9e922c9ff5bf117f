import { describe, expect, it } from 'vitest';
import { apiWith, newCaller } from '../support/api.ts';
import { uploaded } from '../support/uploads.ts';

describe('health', () => {
  it.each(['/health', '/healthz', '/api/v1/health', '/api/v1/health/live'])(
    'answers that it lives at %s',
    async (path) => {
      const response = await apiWith()(path);

      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({
        status: 'ok',
        version: expect.stringMatching(/^\d+\.\d+\.\d+\+[0-9a-f]{12}$/),
        uptime_seconds: expect.any(Number),
      });
    },
  );

  it.each(['/api/healthz', '/api/health', '/api/v1/health/ready'])(
    'answers that it is ready at %s',
    async (path) => {
      const response = await apiWith()(path);

      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({
        status: 'ok',
        checks: [
          { name: 'database', status: expect.stringMatching(/ok|degraded/), latency_ms: expect.any(Number) },
          { name: 'blob', status: expect.stringMatching(/ok|degraded/), latency_ms: expect.any(Number) },
        ],
      });
    },
  );
});

describe('metrics', () => {
  it.each(['/metrics', '/api/metrics'])(
    'are Prometheus text at %s, every series with its instance',
    async (path) => {
      await uploaded(await newCaller('files:write'));
      await apiWith()('/health');

      const response = await apiWith()(path);

      const text = await response.text();
      const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
      expect(text).toMatch(
        /^http_requests_total\{method="GET",endpoint="\/health",status="200",instance="[0-9a-f]{8}"\} \d+/m,
      );
      expect(text).toMatch(
        /^http_request_duration_seconds_bucket\{method="GET",endpoint="\/health",instance="\w+",le="0.005"\} \d+/m,
      );
      expect(text).toMatch(/^azure_blob_uploads_total\{outcome="success",instance="\w+"\} [1-9]/m);
      expect(text).toMatch(/^database_connections_active\{pool="app",instance="\w+"\} \d+/m);
      expect(text).toMatch(/^database_connections_active\{pool="direct",instance="\w+"\} \d+/m);
      expect(text).toMatch(/^app_uptime_seconds\{instance="\w+"\} \d+/m);
      expect(series.filter((line) => !line.includes('instance="'))).toEqual([]);
    },
  );
});
