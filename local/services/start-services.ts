import { type Azurite, startAzurite } from './azurite.ts';
import { pickFreePorts } from './ports.ts';
import { type Postgres, startPostgres } from './postgres.ts';
import type { Service, ServiceOptions } from './service.ts';

/** Both services, running. */
export interface Services {
  readonly storageConnectionString: string;
  readonly databaseUrl: string;
  readonly azurite: Azurite;
  readonly postgres: Postgres;
  /** Stops both. */
  stop(): Promise<void>;
}

/** Starts Azurite and PostgreSQL on free ports with their data under the folder. */
export async function startServices(options: ServiceOptions): Promise<Services> {
  const [blob = 0, queue = 0, table = 0, port = 0] = await pickFreePorts(4);
  const [azurite, postgres] = await startTogether([
    startAzurite({ ...options, ports: { blob, queue, table } }),
    startPostgres({ ...options, port }),
  ]);
  return {
    storageConnectionString: azurite.connectionString,
    databaseUrl: postgres.url,
    azurite,
    postgres,
    stop: () => stopAll([azurite, postgres]),
  };
}

/** Waits for services that are being started; when one fails, the others are stopped before its error is thrown. */
export async function startTogether<First extends Service | undefined, Second extends Service | undefined>(
  starts: readonly [Promise<First>, Promise<Second>],
): Promise<[First, Second]> {
  const [first, second] = await Promise.allSettled(starts);
  if (first.status === 'fulfilled' && second.status === 'fulfilled') return [first.value, second.value];
  await stopAll([first, second].map((start) => (start.status === 'fulfilled' ? start.value : undefined)));
  return await Promise.all(starts);
}

/** Stops services, all at once. */
export async function stopAll(services: readonly (Service | undefined)[]): Promise<void> {
  await Promise.all(services.map((service) => service?.stop()));
}
