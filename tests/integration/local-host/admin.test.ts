import { once } from 'node:events';
import http from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureApp, startFixtureApp } from './fixture-app.ts';

const code = `
app.http('open', { handler: () => ({ body: 'open' }) });
app.timer('yearly', { schedule: '0 0 1 1 *', handler: async (timer, context) => {
  await new Promise((resolve) => setTimeout(resolve, 50));
  context.log('ran: ' + JSON.stringify(timer));
} });
app.timer('off', { schedule: '* * * * * *', handler: (timer, context) => context.log('must not run') });
app.http('off-http', { handler: () => ({ body: 'off' }) });
`;
const env = { 'AzureWebJobs.off.Disabled': 'true', 'AzureWebJobs.off-http.Disabled': '1' };
const input = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"input":""}' };

let app: FixtureApp;
beforeAll(async () => {
  app = await startFixtureApp(code, { env });
});
afterAll(() => app.stop());

describe('the admin API', () => {
  it('runs a timer after it has answered 202', async () => {
    const response = await fetch(`${app.url}/admin/functions/Yearly`, input);
    const already = app.lines.some(({ message }) => message.includes('ran:'));

    expect([response.status, already]).toEqual([202, false]);
    const { message } = await app.line('ran:');
    expect(message).toContain('"isPastDue":false');
  });

  it.each([
    ['no body', { method: 'POST' }, 415],
    ['another type of body', { ...input, headers: { 'content-type': 'text/plain' } }, 415],
    ['an empty body', { ...input, body: '' }, 400],
    ['a body without input', { ...input, body: '{}' }, 400],
    ['a broken body', { ...input, body: '{"input"' }, 400],
  ])('refuses to run a function for %s', async (_, init, expected) => {
    expect((await fetch(`${app.url}/admin/functions/yearly`, init)).status).toBe(expected);
  });

  it.each([
    ['attacker.example', 403],
    ['127.0.0.1.attacker.example:7071', 403],
    ['localhost', 202],
    ['[::1]:7071', 202],
  ])('is there for who means this machine: called as %s it answers %i', async (host, expected) => {
    const request = http.request(`${app.url}/admin/functions/yearly`, {
      method: 'POST',
      headers: { host, 'content-type': 'application/json' },
    });
    request.end('{"input":""}');

    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    response.resume();

    expect(response.statusCode).toBe(expected);
  });

  it('runs timers and queue functions only, and on POST', async () => {
    expect((await fetch(`${app.url}/admin/functions/open`, input)).status).toBe(404);
    expect((await fetch(`${app.url}/admin/functions/nobody`, input)).status).toBe(404);
    expect((await fetch(`${app.url}/admin/functions/off`, input)).status).toBe(404);
    expect((await fetch(`${app.url}/admin/functions/yearly`)).status).toBe(404);
    expect((await fetch(`${app.url}/admin/nothing`)).status).toBe(404);
  });
});

describe('disabled functions', () => {
  it('are not reachable and do not run', async () => {
    expect((await fetch(`${app.url}/off-http`)).status).toBe(404);
    expect(app.lines.filter(({ message }) => message.includes('must not run'))).toEqual([]);
  });
});
