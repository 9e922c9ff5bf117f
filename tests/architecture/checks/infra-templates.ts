import type { DeployedResource } from '../reading/bicep/declaration.ts';
import type { Deployment } from '../reading/bicep/deployment.ts';
import type { BicepFile, Expression, Statement } from '../reading/bicep/syntax.ts';
import { at } from '../reading/bicep/values.ts';

/** Types whose resources carry tags, and those that cannot; a new type has to be put into one of the lists. */
const tagged = [
  'Microsoft.DBforPostgreSQL/flexibleServers',
  'Microsoft.Insights/components',
  'Microsoft.KeyVault/vaults',
  'Microsoft.ManagedIdentity/userAssignedIdentities',
  'Microsoft.Network/networkSecurityGroups',
  'Microsoft.Network/privateDnsZones',
  'Microsoft.Network/privateDnsZones/virtualNetworkLinks',
  'Microsoft.Network/privateEndpoints',
  'Microsoft.Network/virtualNetworks',
  'Microsoft.OperationalInsights/workspaces',
  'Microsoft.Resources/resourceGroups',
  'Microsoft.Storage/storageAccounts',
  'Microsoft.Web/serverfarms',
  'Microsoft.Web/sites',
];
const untagged = [
  'Microsoft.Authorization/locks',
  'Microsoft.Authorization/roleAssignments',
  'Microsoft.DBforPostgreSQL/flexibleServers/administrators',
  'Microsoft.DBforPostgreSQL/flexibleServers/configurations',
  'Microsoft.DBforPostgreSQL/flexibleServers/databases',
  'Microsoft.DBforPostgreSQL/flexibleServers/firewallRules',
  'Microsoft.Insights/diagnosticSettings',
  'Microsoft.Network/privateEndpoints/privateDnsZoneGroups',
  'Microsoft.Storage/storageAccounts/blobServices',
  'Microsoft.Storage/storageAccounts/blobServices/containers',
  'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies',
  'Microsoft.Storage/storageAccounts/queueServices',
  'Microsoft.Storage/storageAccounts/queueServices/queues',
  'Microsoft.Storage/storageAccounts/tableServices',
  'Microsoft.Storage/storageAccounts/tableServices/tables',
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies',
  'Microsoft.Web/sites/config',
];
/** Alert rules come with the metrics they need; until then one here is a mistake. */
const alerting = /alert|scheduledQueryRules|actionGroups|webtests/i;

/** Resources without the tag by which the environment is known, alert rules, and types nobody has decided about. */
export function resourceFaults({ resources }: Deployment): string[] {
  return resources.flatMap(({ file, type, name, body }: DeployedResource) => {
    if (alerting.test(type)) return [`${file} ${name}: there are no alert rules yet`];
    if (untagged.includes(type)) return [];
    if (!tagged.includes(type)) return [`${file} ${name}: whether ${type} takes tags is not decided`];
    return at(body, 'tags.azd-env-name') === undefined ? [`${file} ${name}: has no tags`] : [];
  });
}

/** What is wrong with how a template is written. */
export function templateFaults({ path, statements }: BicepFile): string[] {
  return statements.flatMap((statement) =>
    faultsOf(statement).map((fault) => `${path} ${statement.name}: ${fault}`),
  );
}

function faultsOf(statement: Statement): string[] {
  switch (statement.kind) {
    case 'param':
      return parameterFaults(descriptionOf(statement), statement.defaultValue !== undefined);
    case 'output':
      return [
        ...(descriptionOf(statement) === '' ? ['has no description'] : []),
        ...(asksForSecret(statement.value) ? ['gives out a secret'] : []),
      ];
    case 'module':
      return statement.path.includes(':') ? ['comes from a registry, where it cannot be checked'] : [];
    default:
      return [];
  }
}

function parameterFaults(description: string, hasDefault: boolean): string[] {
  const [first] = description.split(' ');
  return first === (hasDefault ? 'Optional.' : 'Required.')
    ? []
    : [`describe it, beginning with ${hasDefault ? 'Optional.' : 'Required.'}`];
}

function descriptionOf({ decorators }: Statement): string {
  const [text] = decorators.find(({ name }) => name === 'description')?.args ?? [];
  return text?.kind === 'text' ? text.parts.join('') : '';
}

const secretName = /^list[A-Z]|^getSecret$|ConnectionString|primaryKey|InstrumentationKey|password|sasToken/i;

function asksForSecret(value: Expression): boolean {
  const named = 'name' in value && secretName.test(value.name);
  return named || partsOf(value).some(asksForSecret);
}

function partsOf(value: Expression): Expression[] {
  return Object.values(value)
    .flat()
    .filter((part): part is Expression => typeof part === 'object' && part !== null && 'kind' in part);
}

/** Parameters that azd is not told, and values for parameters that do not exist. */
export function parameterFileFaults({ statements }: BicepFile, text: string): string[] {
  const { parameters } = JSON.parse(text) as { parameters: Record<string, unknown> };
  const declared = statements.filter(({ kind }) => kind === 'param').map(({ name }) => name);
  return [
    ...declared.filter((name) => !(name in parameters)).map((name) => `${name} is not set`),
    ...Object.keys(parameters).flatMap((name) => (declared.includes(name) ? [] : [`${name} does not exist`])),
  ];
}
