import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import process from 'node:process';
import type { Program } from './guarded-process.ts';

/*
 * Runs one program for as long as somebody holds the other end of the channel to this process. Letting go of the
 * channel is how the program is stopped, so that a killed parent (which can tell nobody) stops it just the same.
 */

const killAfterMs = 10_000;
const { command, args, folder, account, temporaryFolder }: Program = JSON.parse(process.argv[2] ?? '{}');
const program = spawn(command, args, { cwd: folder, stdio: 'inherit', ...account });
let askedToStop = false;
let abandoned = false;

function stop(): void {
  program.kill('SIGINT');
  setTimeout(() => program.kill('SIGKILL'), killAfterMs).unref();
}

async function finish(exitCode: number): Promise<void> {
  if (abandoned && temporaryFolder !== undefined) await rm(temporaryFolder, { recursive: true, force: true });
  process.exit(exitCode);
}

program.once('error', (error) => {
  process.stderr.write(`${command}: ${error.message}\n`);
  process.exit(1);
});
program.once('exit', (exitCode) => void finish(exitCode ?? 1));
process.once('message', () => {
  askedToStop = true;
  process.disconnect();
});
process.once('disconnect', () => {
  abandoned = !askedToStop;
  stop();
});
process.on('SIGTERM', stop);
