import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorCode, LocalError } from './local-error.ts';
import { ownAddresses } from './own-addresses.ts';
import { readLocalSettings } from './settings.ts';
import { runTour } from './tour/run-tour.ts';

/* `npm run tour`: what the service does, shown on the app that `npm start` runs. */

const settings = readLocalSettings(fileURLToPath(new URL('..', import.meta.url)), process.env);
const { folder, port, own } = settings;
const keyFile = join(folder, 'admin-key');
try {
  if (!existsSync(keyFile))
    throw new LocalError('Nothing has been started here yet. Run npm start in another terminal.');
  await runTour({
    baseUrl: `http://localhost:${port}`,
    apiKey: readFileSync(keyFile, 'utf8').trim(),
    // It makes a database to restore into, which the app's login may not.
    databaseUrl: ownAddresses(settings).postgres?.url ?? own['DATABASE_URL'] ?? '',
    log: console.log,
  });
  console.log('The whole way works.');
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}

function explain(error: unknown): unknown {
  if (error instanceof LocalError) return error.message;
  if (error instanceof TypeError && error.message === 'fetch failed') {
    return `Nothing answers on port ${port}. Run npm start in another terminal, or set PORT as you did there.`;
  }
  if (errorCode(error) === 'ECONNREFUSED') {
    return 'The database of the app cannot be reached. Set DATABASE_URL as you did for npm start.';
  }
  return error;
}
