import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startFixtureApp } from './fixture-app.ts';
import { open } from './raw-client.ts';

const idle = `app.http('idle', { handler: () => ({ body: String(process.pid) }) });`;
const hooks = `
app.hook.appStart((context) => console.log('started ' + Object.keys(context)));
app.hook.preInvocation((context) => {
  context.hookData.from = 'pre';
  const handler = context.functionHandler;
  if (context.invocationContext.functionName === 'replaced') context.functionHandler = () => ({ body: 'by the hook' });
  if (context.invocationContext.functionName === 'readonly') context.hookData = {};
});
app.hook.postInvocation((context) => {
  if (context.invocationContext.functionName === 'rescued') {
    context.result = { body: context.hookData.from + ':' + context.error.message };
    context.error = null;
  }
});
const undo = app.hook.postInvocation(() => { throw new Error('disposed hooks must not run'); });
undo.dispose();
app.hook.appTerminate(async () => { await new Promise((resolve) => setTimeout(resolve, 20)); console.log('goodbye'); });
app.http('replaced', { handler: () => ({ body: 'by the function' }) });
app.http('rescued', { handler: (request, context) => { context.warn('trouble'); throw new Error('lost'); } });
app.http('readonly', { handler: () => ({ body: 'unreachable' }) });
`;

describe.concurrent('hooks', () => {
  it('run around invocations, lines and the life of the app', async () => {
    const app = await startFixtureApp(hooks);

    const replaced = await (await fetch(`${app.url}/replaced`)).text();
    const rescued = await (await fetch(`${app.url}/rescued`)).text();
    const readonly = await fetch(`${app.url}/readonly`);
    await app.stop();

    expect([replaced, rescued, readonly.status]).toEqual(['by the hook', 'pre:lost', 500]);
    expect(app.lines).toContainEqual({ level: 'warning', message: 'trouble' });
    expect(app.lines.some(({ message }) => message.startsWith('started '))).toBe(true);
    expect(app.lines.at(-1)?.message).toBe('goodbye');
    expect(await app.workerExited).toBe(0);
  });

  it('have five seconds at the end, then the worker is killed', async () => {
    const app = await startFixtureApp(`${idle} app.hook.appTerminate(() => new Promise(() => {}));`);
    const startedAt = performance.now();

    await app.stop();

    expect(await app.workerExited).toBe('SIGKILL');
    expect(performance.now() - startedAt).toBeGreaterThan(4900);
  });
});

describe.concurrent('stopping', () => {
  it('lets a request end that has begun', async () => {
    const app = await startFixtureApp(`
      app.http('slow', { handler: async () => {
        await new Promise((resolve) => setTimeout(resolve, 200)); return { body: 'done' };
      } });`);
    const answering = fetch(`${app.url}/slow`);
    await app.line('Executing');

    await app.stop();

    expect(await (await answering).text()).toBe('done');
    await expect(fetch(app.url)).rejects.toThrow();
  });
});

describe.concurrent('a worker that dies', () => {
  it('breaks what it was doing, is reported, and leaves a host that answers 500', async () => {
    const app = await startFixtureApp(`
      app.http('crash', { handler: () => { setTimeout(() => { throw new Error('gone mad'); }); return new Promise(() => {}); } });
      app.http('works', { handler: () => ({ body: 'works' }) });`);

    const crashed = await fetch(`${app.url}/crash`);
    const exit = await app.workerExited;
    const next = await fetch(`${app.url}/works`);
    await app.stop();

    expect([crashed.status, exit, next.status]).toEqual([500, 1, 500]);
    expect((await app.line('gone mad')).level).toBe('error');
    expect((await app.line('The worker has exited (1)')).level).toBe('error');
  });

  it('breaks a response that has begun', async () => {
    const app = await startFixtureApp(`
      app.http('half', { handler: () => ({ body: new ReadableStream({ pull(controller) {
        controller.enqueue(new TextEncoder().encode('half')); setTimeout(() => process.exit(3), 50); return new Promise(() => {});
      } }) }) });`);

    const response = await fetch(`${app.url}/half`);

    await expect(response.text()).rejects.toThrow('terminated');
    await app.line('The worker has exited (3)');
    await app.stop();
  });

  it('is not a reason to hang at the end', async () => {
    const app = await startFixtureApp(idle);
    process.kill(app.workerPid, 'SIGKILL');
    await app.line('The worker has exited (SIGKILL)');

    await expect(app.stop()).resolves.toBeUndefined();
  });
});

describe.concurrent('starting', () => {
  it.each([
    ['throws', `throw new Error('no configuration');`, 'no configuration'],
    ['has a bad schedule', `app.timer('t', { schedule: 'often', handler: () => {} });`, 'NCRONTAB'],
    ['misses a setting', `app.timer('t', { schedule: '%WHEN%', handler: () => {} });`, 'WHEN'],
    [
      'has another trigger',
      `app.serviceBusQueue('s', { connection: 'c', queueName: 'q', handler: () => {} });`,
      '"s"',
    ],
    [
      'misses a connection',
      `app.storageQueue('q', { connection: 'Nowhere', queueName: 'q', handler: () => {} });`,
      'Nowhere',
    ],
    [
      'registers a name twice',
      `for (const _ of [1, 2]) app.http('twice', { handler: () => ({}) });`,
      'already',
    ],
    ['has an unknown route syntax', `app.http('r', { route: '{a}-{b}', handler: () => ({}) });`, '{a}-{b}'],
  ])('is refused for an app that %s', async (_, code, reason) => {
    await expect(startFixtureApp(code)).rejects.toThrow(reason);
  });

  it('is refused for an app in buffered mode', async () => {
    const starting = startFixtureApp(`app.http('x', { handler: () => ({}) });`, { stream: false });

    await expect(starting).rejects.toThrow('enableHttpStream');
  });

  it('is refused for a port that is taken, and leaves no worker behind', async () => {
    const app = await startFixtureApp(idle);
    const pids: string[] = [];
    const log = (_: string, message: string) =>
      void (message.startsWith('pid ') && pids.push(message.slice(4)));

    const second = startFixtureApp(`${idle} console.log('pid ' + process.pid);`, {
      port: Number(new URL(app.url).port),
      log,
    });

    await expect(second).rejects.toThrow('EADDRINUSE');
    expect(() => process.kill(Number(pids[0]), 0)).toThrow('ESRCH');
    await app.stop();
  });

  it('gives the worker exactly the given environment', async () => {
    const app = await startFixtureApp(`app.http('env', { handler: () => ({ jsonBody: process.env }) });`, {
      env: { MINE: 'yes' },
    });

    const env = (await (await fetch(`${app.url}/env`)).json()) as Record<string, string>;
    await app.stop();

    expect(Object.keys(env).filter((name) => !name.startsWith('NODE_CHANNEL'))).toEqual(['MINE']);
  });
});

describe.concurrent('the network', () => {
  it('is shut out of the front and of the stream server of the worker', async () => {
    const app = await startFixtureApp(idle);
    const { message } = await app.line('Auto-assigned port is valid. Port: ');
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((one) => one && !one.internal && one.family === 'IPv4');
    const reaches = async (host: string, port: string) => {
      const socket = open(`http://${host}:${port}`);
      const [event] = await Promise.race([
        once(socket, 'connect').then(() => ['connect']),
        once(socket, 'error').catch((error) => [error.code]),
      ]);
      socket.destroy();
      return event;
    };
    const streamPort = message.split(' ').at(-1) ?? '';

    const inside = await reaches('127.0.0.1', streamPort);
    const refused = await Promise.all(
      // 127.0.0.2 belongs to every Linux machine and is served only by who listens on all interfaces.
      [new URL(app.url).port, streamPort].map((port) =>
        reaches(outside?.address ?? '127.0.0.2', port).catch((error) => error.code),
      ),
    );
    await app.stop();

    expect(inside).toBe('connect');
    expect(refused).toEqual(['ECONNREFUSED', 'ECONNREFUSED']);
  });
});

describe.concurrent('a host that is killed', () => {
  it('takes its worker along', async () => {
    const script = `
      const { startFixtureApp } = await import('${resolve('tests/integration/local-host/fixture-app.ts')}');
      const app = await startFixtureApp(${JSON.stringify(idle)});
      console.log(app.workerPid + ' ' + app.folder);`;
    const host = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface(host.stdout), 'line');
    const [pid, folder] = String(line).split(' ');
    const isAlive = () => {
      try {
        return process.kill(Number(pid), 0);
      } catch {
        return false;
      }
    };
    const before = isAlive();

    host.kill('SIGKILL');

    for (let i = 0; i < 100 && isAlive(); i++) await sleep(20);
    rmSync(folder ?? '', { recursive: true, force: true });
    expect([before, isAlive()]).toEqual([true, false]);
  });
});
