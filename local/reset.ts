import { rmSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runCommand } from './command.ts';
import { takeFolder } from './folder.ts';
import { postgresElsewhere } from './services/postgres-place.ts';
import { readLocalSettings } from './settings.ts';

/* `npm run reset`: removes the local data, keys and logs. What the user's own services hold is not touched. */

await runCommand(async () => {
  const { folder } = readLocalSettings(fileURLToPath(new URL('..', import.meta.url)), process.env);
  takeFolder(folder, 'npm run reset');
  for (const data of [postgresElsewhere(folder), folder]) rmSync(data, { recursive: true, force: true });
  console.log(`Emptied ${folder}. The next npm start begins anew.`);
});
