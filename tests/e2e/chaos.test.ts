import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { type Api, apiWith, expectProblem } from '../support/api.ts';
import { type App, startApp } from '../support/app.ts';
import { pngBytes, uploadForm } from '../support/uploads.ts';

let app: App;
let api: Api;

beforeAll(async () => {
  app = await startApp(inject('appFolder'), { CHAOS: 'blob:fault=1 postgres:latency=100ms' });
  api = apiWith(app.adminKey, app.baseUrl);
});
afterAll(() => app.stop());

it('is answered when the process stops before it has ended', async () => {
  const slow = await startApp(inject('appFolder'), { CHAOS: 'blob:latency=60000ms' });
  onTestFinished(() => slow.stop());
  const uploading = uploadForm(apiWith(slow.adminKey, slow.baseUrl), pngBytes());
  const lines = () => slow.logLines.join('\n');
  await expect.poll(lines, { timeout: 10_000 }).toContain('files-upload');

  await slow.host.stop();

  await expectProblem(await uploading, 503, 'unavailable');
  expect(lines()).not.toContain('the client has gone');
});

describe('an app with faults on purpose', () => {
  it('says so at start, behaves as in an outage, and slows down what it is told to', async () => {
    const upload = await uploadForm(api, pngBytes());
    const startedAt = performance.now();
    const list = await api('/api/v1/files');
    const elapsedMs = performance.now() - startedAt;

    await expectProblem(upload, 503, 'unavailable');
    expect(list.status).toBe(200);
    expect(elapsedMs).toBeGreaterThan(95);
    const logged = (message: string) => app.logLines.filter((line) => line.includes(message));
    expect(logged('calls are disturbed on purpose')).toHaveLength(1);
    expect(logged('injected_fault').length).toBeGreaterThan(0);
    expect(await (await api('/metrics')).text()).toMatch(
      /resilience_retries_total\{[^}]*"blob"[^}]*\} [1-9]/,
    );
  });
});
