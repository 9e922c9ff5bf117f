import { localSecrets } from './secrets.ts';
import { type Azurite, connectionString } from './services/azurite.ts';
import { databaseUrl, type Postgres } from './services/postgres.ts';
import type { Environment, LocalSettings } from './settings.ts';

/** The environment the app runs in: settings that fit the services, and over them whatever the user has set. */
export function appEnvironment(settings: LocalSettings, services: ServiceAddresses): Environment {
  return { ...defaultSettings(settings, services), ...settings.own };
}

/** The same environment for a command beside the running services. */
export function commandEnvironment(settings: LocalSettings): Environment {
  const { folder, azuritePorts, postgresPort } = settings;
  return appEnvironment(settings, {
    azurite: { connectionString: connectionString(azuritePorts) },
    postgres: { url: databaseUrl(postgresPort, localSecrets(folder).databasePassword) },
  });
}

/** The addresses of services; `undefined` where the user has set one of their own. */
interface ServiceAddresses {
  readonly azurite: Pick<Azurite, 'connectionString'> | undefined;
  readonly postgres: Pick<Postgres, 'url'> | undefined;
}

/** The settings that make the app run with the services of this checkout. */
export function defaultSettings(
  settings: LocalSettings,
  { azurite, postgres }: ServiceAddresses,
): Environment {
  return {
    FUNCTIONS_WORKER_RUNTIME: 'node',
    ENVIRONMENT: 'development',
    LOG_LEVEL: 'info',
    SECRET_KEY: localSecrets(settings.folder).secretKey,
    ...(azurite && { AzureWebJobsStorage: azurite.connectionString }),
    ...(postgres && { DATABASE_URL: postgres.url }),
  };
}
