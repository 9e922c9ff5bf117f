import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LocalError } from '../local-error.ts';

/** The operating system account a program runs under. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** A program to run, as it is handed to the guard. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** The folder it runs in. Default: that of this process. */
  readonly folder?: string | undefined;
  /** Default: the account of this process. */
  readonly account?: Account | undefined;
  /** A folder to remove when this process ends without having stopped the program. */
  readonly temporaryFolder?: string | undefined;
}

/** A running program that cannot outlive this process, however this process ends. */
export interface GuardedProcess {
  /** Resolves when the program has ended, wanted or not. */
  readonly exited: Promise<void>;
  hasExited(): boolean;
  /** Asks the program to end (SIGINT, after 10 s SIGKILL) and waits until it has. */
  stop(): Promise<void>;
}

const guardFile = fileURLToPath(new URL('./guard.ts', import.meta.url));

/**
 * Starts a program. It gets a process group of its own: Ctrl-C in the terminal must not reach it before those who
 * still use it have stopped.
 *
 * @param logFile - where its output goes, in place of the terminal
 * @param env - its environment, in place of ours
 */
export function startGuarded(program: Program, logFile?: string, env = process.env): GuardedProcess {
  const output = logFile === undefined ? 'inherit' : openSync(logFile, 'w', 0o600);
  const guard = fork(guardFile, [JSON.stringify(program)], {
    detached: true,
    env,
    execArgv: [],
    stdio: ['ignore', output, output, 'ipc'],
  });
  if (output !== 'inherit') closeSync(output);
  const exited = once(guard, 'exit').then(() => undefined);
  const hasExited = () => guard.exitCode !== null || guard.signalCode !== null;
  return {
    exited,
    hasExited,
    async stop() {
      // A failed send means that the guard is gone already, which is what is wanted.
      if (guard.connected) guard.send('stop', () => undefined);
      await exited;
    },
  };
}

/**
 * Waits until `isReady` answers true, asking again and again.
 *
 * @param details - asked for when it goes wrong, to end the message with
 * @throws LocalError when the program ended or was not ready in time; it is stopped then
 */
export async function waitUntilReady(
  name: string,
  program: GuardedProcess,
  isReady: () => Promise<boolean>,
  { timeoutMs = 60_000, details = (): string => '' } = {},
): Promise<void> {
  const startedAt = Date.now();
  try {
    while (!(await isReady())) {
      if (program.hasExited()) throw new LocalError(`${name} ended while starting. ${details()}`);
      if (Date.now() - startedAt > timeoutMs)
        throw new LocalError(`${name} was not ready after ${timeoutMs / 1000} s. ${details()}`);
      await delay(20);
    }
  } catch (error) {
    await program.stop();
    throw error;
  }
}

/** The last lines of a log, with its place. */
export function endOfLog(logFile: string): string {
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n');
  return `Its log (${logFile}) ends with:\n${lines.slice(-5).join('\n')}`;
}
