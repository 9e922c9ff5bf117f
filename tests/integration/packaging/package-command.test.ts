import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { readFolder } from '../../../scripts/packaging/folder-content.ts';
import { makePackage } from '../../../scripts/packaging/make-package.ts';
import { makeTemporaryFolder } from '../../support/temporary-folder.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const work = makeTemporaryFolder();

/** Copies what a package is made of, as a clone of the same commit would have it. */
function cloneCheckout(name: string): string {
  const clone = join(work, name);
  for (const path of [
    'src',
    'local',
    'scripts',
    'host.json',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
  ])
    cpSync(join(root, path), join(clone, path), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
  return clone;
}

const command = (clone: string) => join(clone, 'scripts', 'package.ts');
const digestOf = async (folder: string) => (await readFolder(folder)).sha256;

describe('npm run package', { timeout: 60_000 }, () => {
  let here: string;
  beforeAll(async () => {
    here = (await makePackage(root, join(work, 'here'))).content.sha256;
  });
  afterAll(() => rm(work, { recursive: true, force: true }));

  it('makes the same bytes in any folder, at any time, by anybody', async () => {
    const clone = cloneCheckout('clone with another name');
    for (const path of readdirSync(join(clone, 'src'), { recursive: true, encoding: 'utf8' }))
      utimesSync(join(clone, 'src', path), 1, 1);
    const asAnother = `umask 077; exec "${process.execPath}" "${command(clone)}"`;
    const env = {
      PATH: process.env['PATH'],
      TZ: 'Asia/Kathmandu',
      LC_ALL: 'tr_TR.UTF-8',
      NODE_ENV: 'development',
    };

    const { stdout } = await promisify(execFile)('sh', ['-c', asAnother], { cwd: '/', env });

    expect(await digestOf(join(clone, 'package'))).toBe(here);
    expect((statSync(join(clone, 'package')).mode & 0o777).toString(8)).toBe('755');
    expect(stdout).toContain(`\nsha256 ${here}\n`);
    expect(stdout).toMatch(/^loaded at start +\d+ KB\n {2}chunk-/);
    expect(stdout).toMatch(
      /\npackage: version \d+\.\d+\.\d+\+[0-9a-f]{12}, \d+ files, \d+\.\d MB, \d+\.\d s\n/,
    );
  });

  it('leaves no package when it is killed, lets no other one interfere, and makes it anew', async () => {
    const clone = cloneCheckout('clone');
    await run(clone);
    const { first, end } = await standStill(clone);

    const second = await run(clone);
    const whileRunning = existsSync(join(clone, 'package'));
    await end('SIGKILL');
    const afterKill = existsSync(join(clone, 'package'));
    const again = await run(clone);

    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`npm run package is running already, as process ${first}.`);
    expect([whileRunning, afterKill]).toEqual([false, false]);
    expect(again).toEqual({ code: 0, stderr: '' });
    expect(await digestOf(join(clone, 'package'))).toBe(here);
    expect(readdirSync(join(clone, '.package'))).toEqual([]);
  });

  it('leaves no older package behind when it fails', async () => {
    const clone = cloneCheckout('broken clone');
    await run(clone);
    writeFileSync(join(clone, 'src/index.ts'), 'import "./missing.ts"');

    const { code, stderr } = await run(clone);

    expect(code).toBe(1);
    expect(stderr).toContain('The app does not build');
    expect(existsSync(join(clone, 'package'))).toBe(false);
  });
});

function run(clone: string): Promise<{ code: number; stderr: string }> {
  return promisify(execFile)(process.execPath, [command(clone)]).then(
    () => ({ code: 0, stderr: '' }),
    ({ code, stderr }) => ({ code, stderr }),
  );
}

/** Starts one that stands still in the middle of its work: reading a pipe that nobody writes to takes for ever. */
async function standStill(clone: string) {
  const hostJson = join(clone, 'host.json');
  rmSync(hostJson);
  await promisify(execFile)('mkfifo', [hostJson]);
  const child = spawn(process.execPath, [command(clone)], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await exited;
    rmSync(hostJson);
    cpSync(join(root, 'host.json'), hostJson);
  };
  onTestFinished(() => void child.kill('SIGKILL'));
  await vi.waitFor(() => expect(existsSync(join(clone, '.package/new'))).toBe(true), 20_000);
  return { first: child.pid, end };
}
