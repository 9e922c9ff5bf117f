import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { errorCode, LocalError } from './local-error.ts';
import { isAlive } from './processes.ts';

/**
 * Takes the local folder for this process, making it when it is missing, so that two never write to the same data.
 * The lock of a process that is gone is taken over.
 *
 * @param command - what the user typed, to be told to whoever comes second
 * @returns gives the folder back
 * @throws LocalError while another process has it
 */
export function takeFolder(folder: string, command: string): () => void {
  // PostgreSQL, when run by root, is a lesser user that must be able to pass; nobody else needs to look in.
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  const file = join(folder, 'lock');
  while (!tryToCreate(file, `${process.pid}\n${command}\n`)) {
    const { pid, command: holder } = readLock(file);
    // In a container that was restarted, this process may have the number of the one that was killed.
    if (pid !== process.pid && isAlive(pid))
      throw new LocalError(
        `${holder} is running already, as process ${pid}. Stop it first, with Ctrl-C where it runs. (Should process ${pid} be something else: remove ${file})`,
      );
    rmSync(file, { force: true });
  }
  return () => rmSync(file, { force: true });
}

/** A link appears with its content, so that who comes at the same moment never reads half a lock. */
function tryToCreate(file: string, text: string): boolean {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft);
  }
}

function readLock(file: string): { pid: number; command: string } {
  const [pid = '', command = ''] = readFileSync(file, 'utf8').split('\n');
  return { pid: Number(pid), command };
}
