import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serve } from '../../../local/serve.ts';
import { pickFreePorts } from '../../../local/services/ports.ts';
import { makeTemporaryFolder } from '../../support/temporary-folder.ts';

describe('serving with func', () => {
  let root: string;
  let port: number;

  beforeEach(async () => {
    root = makeTemporaryFolder();
    [port = 0] = await pickFreePorts(1);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  /** A program that answers like func: its version, and `start --port N`, where it tells how it was started. */
  function installFunc(version: string, whenStarted = 'listen()'): void {
    const folder = join(root, 'node_modules', 'azure-functions-core-tools', 'bin');
    mkdirSync(folder, { recursive: true });
    const program = `#!${process.execPath}
      const { createServer } = require('node:http');
      const [command, , port] = process.argv.slice(2);
      const facts = JSON.stringify({ command, folder: process.cwd(), marker: process.env.MARKER });
      const listen = () => createServer((_, answer) => answer.end(facts)).listen(port, '127.0.0.1');
      if (command === '--version') console.log('${version}'); else ${whenStarted};`;
    writeFileSync(join(folder, 'func'), program);
    chmodSync(join(folder, 'func'), 0o755);
  }

  const serveHere = () =>
    serve({ root, folder: root, port, env: { MARKER: 'from the settings' }, log: () => undefined });

  it('starts it in the checkout with the settings, and stops it', async () => {
    installFunc('4.15.1');

    const served = await serveHere();
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    const facts = await answer.json();
    await served.stop();
    await served.exited;

    expect(served.by).toBe('func 4.15.1');
    expect(facts).toEqual({ command: 'start', folder: root, marker: 'from the settings' });
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  });

  it('says so when its version listens on all addresses', async () => {
    installFunc('4.12.0');

    const served = await serveHere();
    await served.stop();

    expect(served.by).toContain('func 4.12.0, which listens on all addresses');
  });

  it('fails with a sentence when it ends while starting', async () => {
    installFunc('4.15.1', 'process.exit(3)');

    await expect(serveHere()).rejects.toThrow('func ended while starting.');
  });
});
