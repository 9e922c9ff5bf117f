import { ownAddresses, type ServiceAddresses } from './own-addresses.ts';
import { localSecrets } from './secrets.ts';
import type { Environment, LocalSettings } from './settings.ts';

/** The environment the app runs in: settings that fit the services, and over them whatever the user has set. */
export function appEnvironment(settings: LocalSettings, services: ServiceAddresses): Environment {
  return { ...defaultSettings(settings, services), ...settings.own };
}

/**
 * The same environment for a command beside the running services.
 *
 * @param isDeployer - the command changes the schema or the roles, which the app's login may not
 */
export function commandEnvironment(settings: LocalSettings, isDeployer: boolean): Environment {
  const addresses = ownAddresses(settings);
  const url = isDeployer ? addresses.postgres?.url : undefined;
  return {
    ...appEnvironment(settings, addresses),
    ...(url !== undefined && { DATABASE_URL: url, DATABASE_DIRECT_URL: url }),
  };
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
    ...(postgres && { DATABASE_URL: postgres.appUrl, BACKUP_DATABASE_ROLE: 'backup' }),
  };
}
