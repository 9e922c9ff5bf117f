import { execFile } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { inject } from 'vitest';

/** Runs the packaged command, whatever it ends with; gives all it says, on both streams. */
export function crownsafe(env: Readonly<Record<string, string>>, ...args: string[]): Promise<string> {
  const command = join(inject('appFolder'), 'crownsafe.js');
  const options = { env: { PATH: process.env['PATH'], ...env } };
  return promisify(execFile)(process.execPath, [command, ...args], options).then(
    ({ stdout, stderr }) => `${stdout}${stderr}`,
    ({ stdout, stderr }) => `${stdout}${stderr}`,
  );
}
