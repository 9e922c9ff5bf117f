import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeFolder } from '../../../local/folder.ts';

describe('the local folder', () => {
  let parent: string;
  let folder: string;

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'crown-safe-folder-'));
    folder = join(parent, '.local');
  });
  afterEach(() => rmSync(parent, { recursive: true }));

  it('is made, locked and given back', () => {
    const giveBack = takeFolder(folder, 'npm start');

    expect(readFileSync(join(folder, 'lock'), 'utf8')).toBe(`${process.pid}\nnpm start\n`);
    giveBack();
    expect(existsSync(join(folder, 'lock'))).toBe(false);
  });

  it('is refused while another process has it, with the name of what runs', () => {
    takeFolder(folder, 'npm start');
    writeFileSync(join(folder, 'lock'), `${process.ppid}\nnpm run services\n`);

    expect(() => takeFolder(folder, 'npm start')).toThrow(
      `npm run services is running already, as process ${process.ppid}. Stop it first`,
    );
  });

  it('is taken over from a process that is gone', async () => {
    const gone = fork('-e', ['0'], { execArgv: [] });
    await once(gone, 'exit');
    takeFolder(folder, 'npm start');
    writeFileSync(join(folder, 'lock'), `${gone.pid}\nnpm start\n`);

    takeFolder(folder, 'npm start');

    expect(readFileSync(join(folder, 'lock'), 'utf8')).toBe(`${process.pid}\nnpm start\n`);
  });

  it('is taken over from a killed process that had the same number, as in a restarted container', () => {
    takeFolder(folder, 'npm start');

    const giveBack = takeFolder(folder, 'npm start');

    expect(giveBack).not.toThrow();
  });

  it('is taken over when its lock is empty, as after a full disk', () => {
    takeFolder(folder, 'npm start');
    writeFileSync(join(folder, 'lock'), '');

    takeFolder(folder, 'npm start');

    expect(readFileSync(join(folder, 'lock'), 'utf8')).toContain(String(process.pid));
  });
});
