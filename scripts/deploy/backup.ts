import process from 'node:process';
import { runCommand } from '../../local/command.ts';
import { LocalError } from '../../local/local-error.ts';
import { systemClock } from '../../src/lib/core/index.ts';
import { readAzdEnvironment } from './azd-environment.ts';
import { httpsAddress } from './request.ts';
import { takeBackup } from './take-backup.ts';

/* `npm run deploy:backup`, before a deployment that changes data or schema: succeeds when a backup made now is stored. */

/** A backup has to end within the 30 minutes that a function may run. */
const forMs = 35 * 60_000;

await runCommand(async ({ signal }) => {
  const { SERVICE_API_URI } = await readAzdEnvironment('SERVICE_API_URI');
  const uri = httpsAddress('SERVICE_API_URI', SERVICE_API_URI);
  const key = process.env['BACKUP_API_KEY'];
  if (!key)
    throw new LocalError('BACKUP_API_KEY is not set: an API key with backups:write and backups:read.');
  const patience = { clock: systemClock, everyMs: 5_000, forMs, signal, say: console.log };
  const name = await takeBackup({ uri, key }, patience);
  console.log(`backup ${name} is stored`);
});
