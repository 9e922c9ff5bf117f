import { LocalError } from './local-error.ts';
import { type Azurite, startAzurite } from './services/azurite.ts';
import { requireFreePort } from './services/ports.ts';
import { type Postgres, startPostgres } from './services/postgres.ts';
import type { ServiceOptions } from './services/service.ts';
import { startTogether, stopAll } from './services/start-services.ts';
import type { LocalSettings } from './settings.ts';

/** The services that run for this checkout; `undefined` where the user has set an address of their own. */
export interface OwnServices {
  readonly azurite: Azurite | undefined;
  readonly postgres: Postgres | undefined;
  stop(): Promise<void>;
}

/**
 * Starts Azurite unless `AzureWebJobsStorage` is set, and PostgreSQL unless `DATABASE_URL` is.
 *
 * @param stop - aborted with a LocalError when one ends by itself later
 * @throws LocalError when one cannot be started; then none is left running
 */
export async function startOwnServices(settings: LocalSettings, stop: AbortController): Promise<OwnServices> {
  const { folder, azuritePorts, postgresPort, own } = settings;
  const onUnexpectedExit = (name: string, logFile: string) =>
    stop.abort(new LocalError(`${name} has ended by itself. Its log, ${logFile}, may say why.`));
  const options = { folder, onUnexpectedExit };
  const [azurite, postgres] = await startTogether([
    own['AzureWebJobsStorage'] ? none() : startAzuriteOn(azuritePorts, options),
    own['DATABASE_URL'] ? none() : startPostgresOn(postgresPort, options),
  ]);
  return { azurite, postgres, stop: () => stopAll([azurite, postgres]) };
}

async function none(): Promise<undefined> {}

async function startAzuriteOn(
  ports: LocalSettings['azuritePorts'],
  options: ServiceOptions,
): Promise<Azurite> {
  await requireFreePort(ports.blob, 'Azurite (blobs)', 'AZURITE_BLOB_PORT');
  await requireFreePort(ports.queue, 'Azurite (queues)', 'AZURITE_QUEUE_PORT');
  await requireFreePort(ports.table, 'Azurite (tables)', 'AZURITE_TABLE_PORT');
  return startAzurite({ ...options, ports });
}

async function startPostgresOn(port: number, options: ServiceOptions): Promise<Postgres> {
  await requireFreePort(port, 'PostgreSQL', 'LOCAL_POSTGRES_PORT');
  return startPostgres({ ...options, port });
}
