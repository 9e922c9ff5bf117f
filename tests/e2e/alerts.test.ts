import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { adminApi, apiWith, expectProblem, json, newCaller } from '../support/api.ts';
import { type App, startApp } from '../support/app.ts';
import { type MisbehavingServer, startMisbehavingServer } from '../support/misbehaving-server.ts';

/* A stack of its own, because the app that all share has no channel. */

const path = '/services/T0001/B0002/geheim';
const testAlert = '/api/v1/monitoring/test-alert';
const posts: { readonly correlationId: unknown; readonly text: string }[] = [];
let status = 200;
let slack: MisbehavingServer;
let app: App;

beforeAll(async () => {
  slack = await startMisbehavingServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      posts.push({ correlationId: request.headers['x-correlation-id'], text });
      response.writeHead(status).end('secret of the host');
    });
  });
  app = await startApp(inject('appFolder'), { SLACK_WEBHOOK_URL: `${slack.origin}${path}` });
});
afterAll(async () => {
  await app?.stop();
  await slack?.[Symbol.asyncDispose]();
});

const ask = (correlationId: string) =>
  apiWith(app.adminKey, app.baseUrl)(testAlert, {
    method: 'POST',
    headers: { 'x-correlation-id': correlationId },
  });

describe('a test alert', () => {
  it('arrives, with the correlation id of the request', async () => {
    const response = await ask('alert-arrives-1');

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      channels: [{ channel: 'slack', status: 'sent', http_status: 200 }],
    });
    expect(slack.requests[0]).toMatchObject({ method: 'POST', url: path });
    expect(posts).toEqual([
      {
        correlationId: 'alert-arrives-1',
        text: '{"text":"[info] Crown Safe (test): This is a test. Alerts arrive here."}',
      },
    ]);
  });

  it('says which channel has refused it, and no more', async () => {
    status = 410;

    const body = await (await ask('alert-refused-1')).text();

    expect(JSON.parse(body)).toMatchObject({
      channels: [{ channel: 'slack', status: 'failed', http_status: 410, error: { code: 'refused' } }],
    });
    const lines = () => app.logLines.filter((line) => line.includes('alert-refused-1'));
    await expect
      .poll(() => lines().map((line) => JSON.parse(line)))
      .toMatchObject([
        { level: 'warning', message: 'an alert was refused', channel: 'slack', http_status: 410 },
        { level: 'info', endpoint: testAlert, status: 200 },
      ]);
    expect([body, ...app.logLines].join('\n')).not.toMatch(/geheim|secret of the host/);
  });

  it('has nowhere to go in an app without channels', async () => {
    await expectProblem(await adminApi()(testAlert, { method: 'POST' }), 409, 'alerts_not_configured');
  });

  it('is for admins', async () => {
    const caller = await newCaller('monitoring:read');

    await expectProblem(await caller(testAlert, { method: 'POST' }), 403, 'forbidden');
    await expectProblem(await apiWith()(testAlert, { method: 'POST' }), 401, 'unauthorized');
  });
});

describe('a nightly backup that fails', () => {
  it('is told to operators', async () => {
    status = 200;
    posts.length = 0;
    await app.services.postgres.stop();

    await fetch(`${app.baseUrl}/admin/functions/backup-nightly`, json({ input: '' }));

    const failed =
      /^\{"text":"\[error\] Crown Safe \(test\): The backup crownsafe_backup_full_\d{8}_\d{6}\.sql\.gz has failed"\}$/;
    await expect
      .poll(() => posts, { timeout: 30_000 })
      .toEqual([{ correlationId: expect.any(String), text: expect.stringMatching(failed) }]);
  });
});
