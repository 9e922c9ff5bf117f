import type { OwnServices } from './own-services.ts';
import { localSecrets } from './secrets.ts';
import type { Environment, LocalSettings } from './settings.ts';

/** The environment the app runs in: settings that fit the services, and over them whatever the user has set. */
export function appEnvironment(settings: LocalSettings, services: OwnServices): Environment {
  return { ...defaultSettings(settings, services), ...settings.own };
}

/** The settings that make the app run with the services of this checkout. */
export function defaultSettings(settings: LocalSettings, { azurite, postgres }: OwnServices): Environment {
  return {
    FUNCTIONS_WORKER_RUNTIME: 'node',
    ENVIRONMENT: 'development',
    LOG_LEVEL: 'info',
    SECRET_KEY: localSecrets(settings.folder).secretKey,
    ...(azurite && { AzureWebJobsStorage: azurite.connectionString }),
    ...(postgres && { DATABASE_URL: postgres.url }),
  };
}
