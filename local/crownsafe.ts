import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandEnvironment } from './app-environment.ts';
import { LocalError } from './local-error.ts';
import { readLocalSettings } from './settings.ts';

/* `npm run crownsafe -- …`: the operator's command, with the settings of the app that `npm start` runs. */

/** The commands that change what the app stands on. */
const deployerCommands = ['migrate', 'roles'];

try {
  process.exitCode = await runCrownsafe(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof LocalError ? error.message : error);
  process.exitCode = 1;
}

function runCrownsafe(args: readonly string[]): Promise<number> {
  const settings = readLocalSettings(fileURLToPath(new URL('..', import.meta.url)), process.env);
  const command = join(settings.root, 'dist', 'crownsafe.js');
  if (!existsSync(command) || !existsSync(settings.folder)) {
    throw new LocalError('Nothing has been started here yet. Run npm start in another terminal.');
  }
  const isDeployer = deployerCommands.includes(args[0] ?? '');
  const env = { ...process.env, ...commandEnvironment(settings, isDeployer) };
  const child = spawn(process.execPath, [command, ...args], { env, stdio: 'inherit' });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}
