import type { Value } from './values.ts';

/** A property that only Azure knows, as it looks there; by the type of the resource and the path below `properties`. */
const facts: Readonly<Record<string, (name: string) => Value>> = {
  'Microsoft.DBforPostgreSQL/flexibleServers fullyQualifiedDomainName': (name) =>
    `${name}.postgres.database.azure.com`,
  'Microsoft.Insights/components ConnectionString': (name) =>
    `InstrumentationKey=00000000-0000-4000-8000-000000000000;IngestionEndpoint=https://${name}.in.applicationinsights.azure.com/`,
  'Microsoft.KeyVault/vaults vaultUri': (name) => `https://${name}.vault.azure.net/`,
  'Microsoft.ManagedIdentity/userAssignedIdentities clientId': () => '11111111-1111-4111-8111-111111111111',
  'Microsoft.ManagedIdentity/userAssignedIdentities principalId': () =>
    '22222222-2222-4222-8222-222222222222',
  'Microsoft.Storage/storageAccounts primaryEndpoints': (name) => ({
    blob: `https://${name}.blob.core.windows.net/`,
    queue: `https://${name}.queue.core.windows.net/`,
    table: `https://${name}.table.core.windows.net/`,
  }),
  'Microsoft.Web/sites defaultHostName': (name) => `${name}.azurewebsites.net`,
};

/** @throws Error for a property that is not listed above */
export function azureFact(type: string, name: string, property: string): Value {
  const fact = facts[`${type} ${property}`];
  if (!fact) throw new Error(`what Azure says of ${property} of ${type} is not known here`);
  return fact(name);
}
