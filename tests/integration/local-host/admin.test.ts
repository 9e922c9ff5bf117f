import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureApp, startFixtureApp } from './fixture-app.ts';

const code = `
app.http('open', { handler: () => ({ body: 'open' }) });
app.http('locked', { authLevel: 'function', handler: () => ({ body: 'locked' }) });
app.http('guarded', { authLevel: 'admin', handler: () => ({ body: 'guarded' }) });
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
    expect(message).toContain('"last":"0001-01-01T00:00:00.000Z"');
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

  it('refuses to run HTTP functions and knows no others', async () => {
    expect((await fetch(`${app.url}/admin/functions/open`, input)).status).toBe(400);
    expect((await fetch(`${app.url}/admin/functions/nobody`, input)).status).toBe(404);
    expect((await fetch(`${app.url}/admin/nothing`)).status).toBe(404);
  });

  it('lists the functions', async () => {
    const functions = (await (await fetch(`${app.url}/admin/functions`)).json()) as {
      name: string;
      isDisabled: boolean;
      config: { bindings: { name: string; type: string }[] };
    }[];

    expect(functions.map(({ name }) => name)).toEqual(app.functionNames);
    expect(functions.find(({ name }) => name === 'off')?.isDisabled).toBe(true);
    expect(functions[0]?.config.bindings[1]).toMatchObject({ name: '$return', type: 'http' });
  });

  it('tells how the host is', async () => {
    const status = await fetch(`${app.url}/admin/host/status`);
    const ping = await fetch(`${app.url}/admin/host/ping`);

    expect(await status.json()).toMatchObject({ state: 'Running' });
    expect(ping.status).toBe(200);
  });
});

describe('disabled functions', () => {
  it('are not reachable and do not run', async () => {
    expect((await fetch(`${app.url}/off-http`)).status).toBe(404);
    expect(app.lines.filter(({ message }) => message.includes('must not run'))).toEqual([]);
  });
});

describe('function keys', () => {
  it('are not asked for by default', async () => {
    expect((await fetch(`${app.url}/guarded`)).status).toBe(200);
  });

  it('open what they are made for once they are enforced', async () => {
    const keys = { master: 'M', host: ['H'], functions: { locked: ['F'], open: ['O'] } };
    const strict = await startFixtureApp(code, { env, keys });
    const status = async (path: string, key?: string) =>
      (await fetch(strict.url + path, { headers: key ? { 'x-functions-key': key } : {} })).status;

    const allowed = [
      await status('/open'),
      await status('/locked', 'F'),
      await status('/locked', 'H'),
      await status('/locked', 'M'),
      await status('/locked?code=F'),
      await status('/guarded', 'M'),
      await status('/admin/functions', 'M'),
      await status('/admin/host/ping'),
    ];
    const refused = [
      await status('/locked'),
      await status('/locked', 'O'),
      await status('/locked?code=F', 'wrong'),
      await status('/guarded', 'H'),
      await status('/admin/functions', 'H'),
      await status('/admin/host/status'),
    ];
    await strict.stop();

    expect(allowed).toEqual(allowed.map(() => 200));
    expect(refused).toEqual(refused.map(() => 401));
  });
});
