import { LocalError } from './local-error.ts';
import { localSecrets } from './secrets.ts';
import { type Azurite, connectionString, startAzurite } from './services/azurite.ts';
import { databaseUrl, type Postgres, startPostgres } from './services/postgres.ts';
import { startTogether, stopAll } from './services/start-services.ts';
import type { LocalSettings } from './settings.ts';

/** The services that run for this checkout; `undefined` where the user has set an address of their own. */
export interface OwnServices {
  readonly azurite: Azurite | undefined;
  readonly postgres: Postgres | undefined;
  stop(): Promise<void>;
}

/**
 * Starts Azurite unless `AzureWebJobsStorage` names another storage, and PostgreSQL unless `DATABASE_URL` names another
 * database. (A local.settings.json may well hold our addresses: `npm run services` says to put them there.)
 *
 * @param stop - aborted with a LocalError when one ends by itself later
 * @throws LocalError when one cannot be started; then none is left running
 */
export async function startOwnServices(settings: LocalSettings, stop: AbortController): Promise<OwnServices> {
  const { folder, azuritePorts, postgresPort, own } = settings;
  const onUnexpectedExit = (name: string, logFile: string) =>
    stop.abort(new LocalError(`${name} has ended by itself. Its log, ${logFile}, may say why.`));
  const options = { folder, onUnexpectedExit };
  const ourStorage = connectionString(azuritePorts);
  const ourDatabase = databaseUrl(postgresPort, localSecrets(folder).databasePassword);
  const [azurite, postgres] = await startTogether([
    isOther(own['AzureWebJobsStorage'], ourStorage)
      ? none()
      : startAzurite({ ...options, ports: azuritePorts }),
    isOther(own['DATABASE_URL'], ourDatabase) ? none() : startPostgres({ ...options, port: postgresPort }),
  ]);
  return { azurite, postgres, stop: () => stopAll([azurite, postgres]) };
}

function isOther(address: string | undefined, ours: string): boolean {
  return address !== undefined && address !== ours;
}

async function none(): Promise<undefined> {}
