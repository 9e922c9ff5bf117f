import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { appEnvironment } from './app-environment.ts';
import { runCommand, untilAborted } from './command.ts';
import { prepareDatabase } from './database.ts';
import { takeFolder } from './folder.ts';
import { startOwnServices } from './own-services.ts';
import { servicesScreen } from './screen.ts';
import { readLocalSettings } from './settings.ts';

/* `npm run services`: the services and a database that is up to date, for those who run `func start` themselves. */

await runCommand(async (stop) => {
  const settings = readLocalSettings(fileURLToPath(new URL('..', import.meta.url)), process.env);
  await using held = new AsyncDisposableStack();
  held.defer(takeFolder(settings.folder, 'npm run services'));
  console.log('Starting …');
  const services = await startOwnServices(settings, stop);
  held.defer(() => services.stop());
  const adminKey = await prepareDatabase(
    settings.folder,
    appEnvironment(settings, services),
    services.postgres,
  );
  console.log(servicesScreen(settings, services, adminKey));
  await untilAborted(stop.signal);
});
