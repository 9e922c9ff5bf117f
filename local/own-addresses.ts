import { localSecrets } from './secrets.ts';
import { type Azurite, connectionString } from './services/azurite.ts';
import { type PostgresUrls, postgresUrls } from './services/postgres-urls.ts';
import type { LocalSettings } from './settings.ts';

/** Where services are; `undefined` where the user has set an address of their own. */
export interface ServiceAddresses {
  readonly azurite: Pick<Azurite, 'connectionString'> | undefined;
  readonly postgres: PostgresUrls | undefined;
}

/**
 * The addresses of the services of this checkout, running or not. (A local.settings.json may well hold them too:
 * `npm run services` says to put them there.)
 */
export function ownAddresses({ folder, azuritePorts, postgresPort, own }: LocalSettings): ServiceAddresses {
  const storage = connectionString(azuritePorts);
  const postgres = postgresUrls(postgresPort, localSecrets(folder).databasePassword);
  const isOurs = (address: string | undefined, ...ours: readonly string[]) =>
    address === undefined || ours.includes(address);
  return {
    azurite: isOurs(own['AzureWebJobsStorage'], storage) ? { connectionString: storage } : undefined,
    postgres: isOurs(own['DATABASE_URL'], postgres.appUrl, postgres.url) ? postgres : undefined,
  };
}
