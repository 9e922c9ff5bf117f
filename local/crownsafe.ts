import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandEnvironment } from './app-environment.ts';
import { readLocalSettings } from './settings.ts';

/* `npm run crownsafe -- …`: the operator's command, with the settings of the app that `npm start` runs. */

const settings = readLocalSettings(fileURLToPath(new URL('..', import.meta.url)), process.env);
const command = join(settings.root, 'dist', 'crownsafe.js');
if (existsSync(command) && existsSync(settings.folder)) {
  const env = { ...process.env, ...commandEnvironment(settings) };
  const child = spawn(process.execPath, [command, ...process.argv.slice(2)], { env, stdio: 'inherit' });
  child.once('exit', (code) => {
    process.exitCode = code ?? 1;
  });
} else {
  console.error('Nothing has been started here yet. Run npm start in another terminal.');
  process.exitCode = 1;
}
