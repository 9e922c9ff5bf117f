import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { bundle } from '../scripts/bundle.ts';
import { appEnvironment } from './app-environment.ts';
import { runCommand, untilAborted } from './command.ts';
import { prepareDatabase } from './database.ts';
import { takeFolder } from './folder.ts';
import { LocalError } from './local-error.ts';
import { logPrinter } from './log-lines.ts';
import { startOwnServices } from './own-services.ts';
import { readyScreen } from './screen.ts';
import { serve } from './serve.ts';
import { requireFreePort } from './services/ports.ts';
import { readLocalSettings } from './settings.ts';

/* `npm start`: the services, migrations, the build, and the app served from it, until Ctrl-C. */

await runCommand(async (stop) => {
  const startedAt = performance.now();
  const settings = readLocalSettings(fileURLToPath(new URL('..', import.meta.url)), process.env);
  const { root, folder, port } = settings;
  await using held = new AsyncDisposableStack();
  held.defer(takeFolder(folder, 'npm start'));
  await requireFreePort(port, 'the app', 'PORT');
  console.log('Starting …');
  await bundle(root);
  stop.signal.throwIfAborted();

  const services = await startOwnServices(settings, stop);
  held.defer(() => services.stop());
  stop.signal.throwIfAborted();

  const env = appEnvironment(settings, services);
  const adminKey = await prepareDatabase(folder, env, services.postgres);
  const log = logPrinter({ readable: process.stdout.isTTY, write: (text) => process.stdout.write(text) });
  const served = await serve({ root, folder, port, env, log });
  held.defer(() => served.stop());
  void served.exited.then(() => stop.abort(new LocalError(`The app has ended by itself (${served.by}).`)));

  const startSeconds = (performance.now() - startedAt) / 1000;
  console.log(readyScreen({ settings, services, servedBy: served.by, adminKey, startSeconds }));
  await untilAborted(stop.signal);
});
