import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from '../processes.ts';

/**
 * Clears what a PostgreSQL that was not stopped left in its data folder. Its lock file names a process: one that is
 * gone PostgreSQL recognises by itself; one that is another program today (numbers are used again) would keep it from
 * starting for ever; and one that still serves this folder is ended first.
 */
export async function clearLeftover(data: string): Promise<void> {
  const lockFile = join(data, 'postmaster.pid');
  if (!existsSync(lockFile)) return;
  const pid = Number.parseInt(readFileSync(lockFile, 'utf8'), 10);
  if (!isAlive(pid)) return;
  if (!commandLine(pid).includes(data)) return rmSync(lockFile, { force: true });
  await end(pid);
}

/** Asks for a fast shutdown, and after 10 s for an immediate one, from which the next start recovers. */
async function end(pid: number): Promise<void> {
  const startedAt = Date.now();
  process.kill(pid, 'SIGINT');
  while (isAlive(pid)) {
    if (Date.now() - startedAt > 10_000) process.kill(pid, 'SIGQUIT');
    await delay(50);
  }
}

function commandLine(pid: number): string {
  try {
    // Linux without ps is common (containers); elsewhere there is no /proc.
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}
