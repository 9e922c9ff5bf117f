import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { errorCode, LocalError } from '../../local/local-error.ts';
import { commandEnvironment, type DeployedDatabase } from './command-environment.ts';

const command = fileURLToPath(new URL('../../src/cli/crownsafe.ts', import.meta.url));
const reachMs = 10_000;

/**
 * Runs the operator's command, from source, against a deployed database. What it prints is shown as it comes.
 *
 * @param settings - further settings of the app that the command needs
 * @throws LocalError when the server cannot be reached, or the command fails
 */
export async function runCrownsafe(
  database: DeployedDatabase,
  args: readonly string[],
  signal: AbortSignal,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  await reach(database);
  const env = commandEnvironment(database, process.env, settings);
  const stdio = ['ignore', 'inherit', 'pipe'] as const;
  const child = spawn(process.execPath, [command, ...args], { env, stdio: [...stdio], signal });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
    process.stderr.write(text);
  });
  const code = await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
  if (code === 0) return;
  // What the server says to an address that its firewall does not know.
  if (complaint.includes('no pg_hba.conf entry'))
    throw new LocalError(closedTo(database, 'it refuses this address'));
  throw new LocalError(`crownsafe ${args.slice(0, 2).join(' ')} failed, for the reason above.`);
}

/** Connects once, because a firewall that drops packets would otherwise show as a mere timeout of the command. */
async function reach(database: DeployedDatabase): Promise<void> {
  const { host, port } = database;
  const socket = connect({ host, port, timeout: reachMs });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
      socket.once('timeout', () => reject(new Error('nothing answers')));
    });
  } catch (cause) {
    const why = errorCode(cause) ?? (cause as Error).message;
    throw new LocalError(closedTo(database, why), { cause });
  } finally {
    socket.destroy();
  }
}

function closedTo({ host, port }: DeployedDatabase, why: string): string {
  return [
    `The database server ${host}:${port} is out of reach from here (${why}).`,
    'Let this address in:  azd env set ALLOWED_IP_RANGES <your public address>/32 && azd provision',
    'Or run from within Azure, or from within its network when that is closed:  azd hooks run postprovision',
  ].join('\n');
}
