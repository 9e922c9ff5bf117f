import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { appEnvironment } from '../../local/app-environment.ts';
import { prepareDatabase } from '../../local/database.ts';
import { type LocalHost, startLocalHost } from '../../local/host/index.ts';
import { pickFreePorts } from '../../local/services/ports.ts';
import { type Services, startServices } from '../../local/services/start-services.ts';
import { readLocalSettings } from '../../local/settings.ts';
import { testJwtSecret } from './jwt.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

/** The built app with services of its own, reached over HTTP. */
export interface App {
  readonly baseUrl: string;
  /** An API key with the scope `admin`. */
  readonly adminKey: string;
  readonly storageConnectionString: string;
  readonly databaseUrl: string;
  /** Both services; `azurite` and `postgres` can be stopped and started under the running app. */
  readonly services: Services;
  /** The one that serves now. */
  readonly host: LocalHost;
  /** The settings it runs with, for another instance beside it. */
  readonly env: Readonly<Record<string, string>>;
  /** What app and host have logged so far, line by line. */
  readonly logLines: readonly string[];
  /** Starts another host and worker on the same services, after the end of those that are there. */
  restart(): Promise<void>;
  /** Stops everything and removes its data. */
  stop(): Promise<void>;
}

/** `SECRET_KEY` of every app that is started for a test, so that tests can make credentials. Drawn, or no app would start in production. */
export const testSecretKey = 'Hq7TzW2xLkVb9RfYm4DsNp6JgCe8UaXo3ZtKi5Bw';

/**
 * Starts services in a temporary folder and an app on top, as `npm start` would, on free ports.
 *
 * @param appFolder - holds the built app, its package.json and its host.json
 * @param env - settings of the app, over those of a test run
 */
export async function startApp(appFolder: string, env: Readonly<Record<string, string>> = {}): Promise<App> {
  const folder = makeTemporaryFolder();
  await using cleanUp = new AsyncDisposableStack();
  cleanUp.defer(() => rm(folder, { recursive: true, force: true }));
  const services = await startServices({ folder, temporary: true });
  cleanUp.defer(() => services.stop());

  const [port = 0] = await pickFreePorts(1);
  const logLines: string[] = [];
  const appEnv = environment(folder, port, services, env);
  const adminKey = await prepareDatabase(folder, appEnv, services.postgres);
  const start = () =>
    startLocalHost({
      appFolder,
      port,
      env: appEnv,
      stateFolder: join(folder, 'host'),
      log: (_, line) => logLines.push(line),
    });
  let host = await start();
  cleanUp.defer(() => host.stop());

  const owned = cleanUp.move();
  return {
    baseUrl: host.url,
    adminKey,
    storageConnectionString: services.storageConnectionString,
    databaseUrl: services.databaseUrl,
    services,
    get host() {
      return host;
    },
    env: appEnv,
    async restart() {
      await host.stop();
      host = await start();
    },
    logLines,
    stop: () => owned.disposeAsync(),
  };
}

/** Nothing of the developer's own settings may reach a test. */
function environment(
  folder: string,
  port: number,
  services: Services,
  env: Readonly<Record<string, string>>,
) {
  const settings = readLocalSettings(folder, {
    PATH: process.env['PATH'],
    LOCAL_FOLDER: folder,
    PORT: String(port),
    ENVIRONMENT: 'test',
    SECRET_KEY: testSecretKey,
    JWT_SECRET: testJwtSecret,
    ...env,
  });
  return appEnvironment(settings, services);
}
