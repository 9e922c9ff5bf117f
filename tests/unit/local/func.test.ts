import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findFunc } from '../../../local/func.ts';

describe('finding func', () => {
  let root: string;

  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'crown-safe-func-')));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function program(path: string, answer: string): string {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `#!/bin/sh\n${answer}\n`);
    chmodSync(file, 0o755);
    return file;
  }

  it('finds none where there is none', async () => {
    expect(await findFunc(root, join(root, 'bin'))).toBeUndefined();
  });

  it('finds one on PATH', async () => {
    const path = program('bin/func', 'echo 4.15.1');

    expect(await findFunc(root, ['/nowhere', '', join(root, 'bin')].join(delimiter))).toEqual({
      path,
      version: '4.15.1',
    });
  });

  it('prefers the binary of the optional package', async () => {
    const path = program('node_modules/azure-functions-core-tools/bin/func', 'echo 4.15.1');
    program('bin/func', 'echo 4.10.0');

    expect(await findFunc(root, join(root, 'bin'))).toEqual({ path, version: '4.15.1' });
  });

  it('goes from the script of a package to its binary, without running the script', async () => {
    const script = program('node_modules/azure-functions-core-tools/lib/main.js', `touch ${root}/started`);
    mkdirSync(join(root, 'elsewhere'));
    symlinkSync(script, join(root, 'elsewhere', 'func'));
    const searchPath = join(root, 'elsewhere');

    const before = await findFunc('/nowhere', searchPath);
    const path = program('node_modules/azure-functions-core-tools/bin/func', 'echo 4.15.1');
    const after = await findFunc('/nowhere', searchPath);

    expect(before).toBeUndefined();
    expect(after).toEqual({ path, version: '4.15.1' });
    expect(existsSync(join(root, 'started'))).toBe(false);
  });

  it.each([
    ['an older version', 'echo 3.0.5682'],
    ['one that fails', 'exit 1'],
    ['one that says something else', 'echo downloading'],
  ])('passes over %s', async (_, answer) => {
    program('bin/func', answer);

    expect(await findFunc(root, join(root, 'bin'))).toBeUndefined();
  });
});
