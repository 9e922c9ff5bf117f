import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pickFreePorts, requireFreePort } from '../../../local/services/ports.ts';
import { makeTemporaryFolder } from '../../support/temporary-folder.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const ready = 'Ctrl-C stops everything';

/** One run of `npm start`, without npm between. */
interface Run {
  readonly child: ChildProcess;
  output(): string;
  /** Waits until it has ended; its exit code, or the signal that ended it. */
  ended(): Promise<number | NodeJS.Signals>;
}

// Four starts on a machine that may be busy with other tests.
describe('npm start', { timeout: 90_000 }, () => {
  const folder = makeTemporaryFolder();
  let ports: number[];
  const runs: Run[] = [];

  beforeAll(async () => {
    ports = await pickFreePorts(5);
  });
  afterAll(async () => {
    for (const run of runs) {
      run.child.kill('SIGTERM');
      await run.ended();
    }
    await rm(folder, { recursive: true, force: true });
  });

  function start(command = 'start.ts', ...args: readonly string[]): Run {
    const [app, blob, queue, table, postgres] = ports;
    const child = spawn(process.execPath, [join(root, 'local', command), ...args], {
      env: {
        PATH: process.env['PATH'],
        LOCAL_FOLDER: folder,
        PORT: String(app),
        AZURITE_BLOB_PORT: String(blob),
        AZURITE_QUEUE_PORT: String(queue),
        AZURITE_TABLE_PORT: String(table),
        LOCAL_POSTGRES_PORT: String(postgres),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (output += text));
    const closed = once(child, 'close');
    const run: Run = {
      child,
      output: () => output,
      ended: async () => {
        const [code, signal] = await closed;
        return code ?? signal;
      },
    };
    runs.push(run);
    return run;
  }

  const startUntilReady = async () => {
    const run = start();
    await vi.waitFor(() => expect(run.output()).toContain(ready), 25_000);
    return run;
  };

  const allPortsAreFree = async () => {
    for (const port of ports) await requireFreePort(port, 'nobody', 'NONE');
  };

  const apiKey = () => readFileSync(join(folder, 'admin-key'), 'utf8').trim();

  const uploadedRows = async () => {
    const url = `http://localhost:${ports[0]}/api/v1/reports/upload-activity?format=csv`;
    const answer = await fetch(url, { headers: { 'x-api-key': apiKey() } });
    return (await answer.text()).trim().split('\r\n').slice(1);
  };

  it('shows commands that work when they are pasted, keeps its secrets to the user, and stops cleanly', async () => {
    const run = await startUntilReady();
    const commands = run.output().match(/^ {2}curl .*$/gm) ?? [];

    const answers = [];
    for (const command of commands) answers.push((await promisify(execFile)('sh', ['-c', command])).stdout);

    expect(answers.length).toBe(3);
    expect(answers[0]).toContain('"status":"ok"');
    expect(answers[1]).toContain('"status":"available"');
    expect(answers[2]).toContain('sample.png,image/png,');
    expect(run.output()).toContain(apiKey());
    expect(statSync(join(folder, 'admin-key')).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'secrets.json')).mode & 0o777).toBe(0o600);

    run.child.kill('SIGINT');

    expect(await run.ended()).toBe(0);
    await allPortsAreFree();
    expect(existsSync(join(folder, 'lock'))).toBe(false);
  });

  it('keeps data and key for the next start, and refuses to be started twice', async () => {
    const keyBefore = apiKey();
    const run = await startUntilReady();

    const second = start();
    const secondEnd = await second.ended();
    const reset = start('reset.ts');
    const resetEnd = await reset.ended();

    const refusal = `npm start is running already, as process ${run.child.pid}. Stop it first`;
    expect([secondEnd, second.output()]).toEqual([1, expect.stringContaining(refusal)]);
    expect([resetEnd, reset.output()]).toEqual([1, expect.stringContaining(refusal)]);
    expect(apiKey()).toBe(keyBefore);
    expect(await uploadedRows()).toEqual([expect.stringContaining('sample.png')]);
  });

  it("runs the operator's commands beside it, those that change the schema as who deploys", async () => {
    const commands = [
      ['keys', 'list'],
      ['migrate', 'up'],
      ['roles', 'apply', '--login', 'crownsafe'],
    ].map((args) => start('crownsafe.ts', ...args));

    const ends = await Promise.all(commands.map((run) => run.ended()));

    expect(commands.map((run) => run.output())).toEqual([
      expect.stringContaining('npm start'),
      'nothing to do\n',
      expect.stringContaining('crownsafe acts as app'),
    ]);
    expect(ends).toEqual([0, 0, 0]);
  });

  it('leaves nothing running when it is killed, and starts again over what is left', async () => {
    const killed = runs.find(({ child }) => child.exitCode === null);
    killed?.child.kill('SIGKILL');
    expect(await killed?.ended()).toBe('SIGKILL');
    await vi.waitFor(allPortsAreFree, 15_000);
    expect(existsSync(join(folder, 'lock'))).toBe(true);

    const run = await startUntilReady();
    const rows = await uploadedRows();
    run.child.kill('SIGTERM');

    expect(rows.length).toBe(1);
    expect(await run.ended()).toBe(0);
  });

  it('is emptied by npm run reset', async () => {
    const reset = start('reset.ts');

    expect(await reset.ended()).toBe(0);
    expect(existsSync(folder)).toBe(false);
  });
});
