import process from 'node:process';
import { errorCode } from './local-error.ts';

/** Whether a process with this number exists, whoever owns it. */
export function isAlive(pid: number): boolean {
  // Numbers from 0 down mean whole groups of processes.
  if (!(pid > 0)) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Not being allowed to signal it means that it is there.
    return errorCode(error) === 'EPERM';
  }
}
