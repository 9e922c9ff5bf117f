import { LocalError } from './local-error.ts';
import { ownAddresses } from './own-addresses.ts';
import { type Azurite, startAzurite } from './services/azurite.ts';
import { type Postgres, startPostgres } from './services/postgres.ts';
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
 * database.
 *
 * @param stop - aborted with a LocalError when one ends by itself later
 * @throws LocalError when one cannot be started; then none is left running
 */
export async function startOwnServices(settings: LocalSettings, stop: AbortController): Promise<OwnServices> {
  const { folder, azuritePorts, postgresPort } = settings;
  const onUnexpectedExit = (name: string, logFile: string) =>
    stop.abort(new LocalError(`${name} has ended by itself. Its log, ${logFile}, may say why.`));
  const options = { folder, onUnexpectedExit };
  const addresses = ownAddresses(settings);
  const [azurite, postgres] = await startTogether([
    addresses.azurite ? startAzurite({ ...options, ports: azuritePorts }) : none(),
    addresses.postgres ? startPostgres({ ...options, port: postgresPort }) : none(),
  ]);
  return { azurite, postgres, stop: () => stopAll([azurite, postgres]) };
}

async function none(): Promise<undefined> {}
