import type { Deployment } from '../reading/bicep/deployment.ts';
import { at, isValues, type Values } from '../reading/bicep/values.ts';

/** Settings that others read than our configuration, and who. */
export const platformSettings: Readonly<Record<string, string>> = {
  APPLICATION_INSIGHTS_NO_STATSBEAT: 'the exporter: sends no statistics about itself',
  OTEL_EXPORTER_OTLP_PROTOCOL: 'the host: how it sends to the collector that the app sends to',
  AZURE_TOKEN_CREDENTIALS: '@azure/identity: try the managed identity only, and at once',
  AzureWebJobsDisableHomepage: 'the host: no page of its own at /',
  AzureWebJobsStorage__clientId: 'the host: which identity reaches its storage',
  AzureWebJobsStorage__credential: 'the host: that an identity reaches its storage',
};

interface Known {
  readonly name: string;
  readonly required: boolean;
}

/** The application settings that are deployed. */
export function appSettings({ resources }: Deployment): Values {
  const config = resources.find(
    ({ type, name }) => type === 'Microsoft.Web/sites/config' && name === 'appsettings',
  );
  const settings = at(config?.body, 'properties');
  if (!isValues(settings)) throw new Error('there are no application settings');
  return settings;
}

/** Settings that are missing, that nobody reads, or whose value is no text. */
export function settingFaults(
  settings: Values,
  known: readonly Known[],
  platform: readonly string[],
): string[] {
  const names = known.map(({ name }) => name);
  const missing = known.filter(({ name, required }) => required && !(name in settings));
  return [
    ...missing.map(({ name }) => `${name} is required and not set`),
    ...Object.keys(settings).flatMap((name) =>
      names.includes(name) || platform.includes(name) ? [] : [`${name} is read by nobody`],
    ),
    ...platform.flatMap((name) => [
      ...(name in settings ? [] : [`${name} is listed for the platform and not set`]),
      ...(names.includes(name) ? [`${name} is in the configuration and listed for the platform`] : []),
    ]),
    ...Object.entries(settings).flatMap(([name, value]) =>
      typeof value === 'string' ? [] : [`${name} is no text`],
    ),
  ];
}

const keyVaultReference = /^@Microsoft\.KeyVault\(SecretUri=(https:\/\/[^/]+\/)secrets\/([a-z-]+)\)$/;

/** The vault and the secret that a reference names; it names no version, so that the newest counts. */
export function secretOf(
  reference: unknown,
): { readonly vault: string; readonly secret: string } | undefined {
  const [, vault, secret] = keyVaultReference.exec(String(reference)) ?? [];
  return vault && secret ? { vault, secret } : undefined;
}
