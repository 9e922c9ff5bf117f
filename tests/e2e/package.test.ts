import { execFile } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { describe, expect, inject, it } from 'vitest';

const run = promisify(execFile);

describe('the package', () => {
  it('needs no file but its own', async () => {
    const mayRead = `--allow-fs-read=${inject('appFolder')}`;

    const { stdout } = await run(process.execPath, [
      '--permission',
      mayRead,
      join(inject('appFolder'), 'crownsafe.js'),
      '--help',
    ]);

    expect(stdout).toContain('Usage: crownsafe');
  });

  it('shows names of functions in the stack of an error', async () => {
    const failed = run(process.execPath, [join(inject('appFolder'), 'index.js')], { env: {} });

    const { stderr } = await failed.catch((error) => error);

    expect(stderr).toContain('The settings are not usable');
    expect(stderr).toMatch(/ at loadConfig \(file:.*\.js:\d+:\d+\)/);
  });
});
