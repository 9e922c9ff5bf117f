import type { DeployedResource } from '../reading/bicep/declaration.ts';
import type { Deployment } from '../reading/bicep/deployment.ts';
import { at, isValues, listOf, type Value } from '../reading/bicep/values.ts';
import type { Variant } from '../reading/infra.ts';

/** What a property of every resource of a type must be. */
interface Rule {
  readonly type: string;
  readonly path: string;
  readonly is: (value: Value | undefined) => boolean;
  readonly otherwise: string;
}

const exactly =
  (...allowed: (Value | undefined)[]) =>
  (value: Value | undefined) =>
    allowed.includes(value);

const account = 'Microsoft.Storage/storageAccounts';
const server = 'Microsoft.DBforPostgreSQL/flexibleServers';
const site = 'Microsoft.Web/sites';
const vault = 'Microsoft.KeyVault/vaults';

/** Flex Consumption refuses site settings that mean nothing there; these it takes. */
const siteSettings = ['minTlsVersion', 'scmMinTlsVersion', 'http20Enabled'];

const rules: readonly Rule[] = [
  [account, 'properties.allowSharedKeyAccess', exactly(false), 'lets keys in'],
  [account, 'properties.allowBlobPublicAccess', exactly(false), 'lets the public in'],
  [account, 'properties.allowCrossTenantReplication', exactly(false), 'lets data out to other tenants'],
  [account, 'properties.isLocalUserEnabled', exactly(false), 'lets in users with keys'],
  [account, 'properties.minimumTlsVersion', exactly('TLS1_2', 'TLS1_3'), 'is older than TLS 1.2'],
  [account, 'properties.supportsHttpsTrafficOnly', exactly(true), 'allows plain HTTP'],
  [`${account}/blobServices/containers`, 'properties.publicAccess', exactly('None'), 'lets the public in'],
  [server, 'properties.authConfig.passwordAuth', exactly('Disabled'), 'lets passwords in'],
  [server, 'properties.authConfig.activeDirectoryAuth', exactly('Enabled'), 'lets nobody in'],
  [server, 'properties.administratorLoginPassword', exactly(undefined), 'is a password'],
  [site, 'properties.httpsOnly', exactly(true), 'allows plain HTTP'],
  [site, 'properties.siteConfig.minTlsVersion', exactly('1.2', '1.3'), 'is older than TLS 1.2'],
  [site, 'properties.siteConfig.scmMinTlsVersion', exactly('1.2', '1.3'), 'is older than TLS 1.2'],
  [
    site,
    'properties.siteConfig',
    onlyKnownSettings,
    'is refused by Flex Consumption, or answers for the app',
  ],
  [site, 'identity.type', exactly('UserAssigned'), 'is not the one identity'],
  [`${site}/basicPublishingCredentialsPolicies`, 'properties.allow', exactly(false), 'lets passwords in'],
  [vault, 'properties.enableRbacAuthorization', exactly(true), 'has rights of its own beside the roles'],
  ['Microsoft.Insights/components', 'properties.DisableLocalAuth', exactly(true), 'lets keys in'],
  [
    'Microsoft.OperationalInsights/workspaces',
    'properties.features.disableLocalAuth',
    exactly(true),
    'lets keys in',
  ],
].map(([type, path, is, otherwise]) => ({ type, path, is, otherwise }) as Rule);

/** What lets in, or out, who should not. */
export function securityFaults({ resources }: Deployment): string[] {
  const broken = rules.flatMap(({ type, path, is, otherwise }) => {
    const ruled = resources.filter((resource) => resource.type === type);
    if (ruled.length === 0) return [`there is no ${type}`];
    return ruled.flatMap((resource) =>
      is(at(resource.body, path)) ? [] : [`${labelOf(resource)}: ${path} ${otherwise}`],
    );
  });
  const published = namesOf(resources, `${site}/basicPublishingCredentialsPolicies`);
  const basic = ['ftp', 'scm'].filter((way) => !published.includes(way));
  return [
    ...broken,
    ...basic.map((way) => `deploying by ${way} with a password is not switched off`),
    ...transportFaults(resources),
  ];
}

function transportFaults(resources: readonly DeployedResource[]): string[] {
  const parameter = (name: string) =>
    at(resources.find((resource) => resource.name === name)?.body, 'properties.value');
  const versions = ['TLSv1.2', 'TLSv1.3'];
  return [
    ...(parameter('require_secure_transport') === 'on' ? [] : ['the database takes connections without TLS']),
    ...(versions.includes(String(parameter('ssl_min_protocol_version')))
      ? []
      : ['the database takes connections older than TLS 1.2']),
  ];
}

/** Private ways that are missing or not wanted. The data account is open in every case: links lead to it. */
export function networkFaults({ resources }: Deployment, { networkClosed }: Variant): string[] {
  const backups = accountOf(resources, 'crownsafe-backups');
  const files = accountOf(resources, 'crownsafe-images');
  const closed = [backups, ...resources.filter(({ type }) => type === server || type === vault)];
  const endpoints = resources.filter(({ type }) => type === 'Microsoft.Network/privateEndpoints');
  const targets = endpoints.map(({ body }) =>
    at(listOf(at(body, 'properties.privateLinkServiceConnections'))[0], 'properties.privateLinkServiceId'),
  );
  return [
    ...closed.flatMap((resource) =>
      targets.includes(resource?.id ?? '') === networkClosed
        ? []
        : [`${labelOf(resource)}: ${networkClosed ? 'has no' : 'has a'} private endpoint`],
    ),
    ...(at(files?.body, 'properties.publicNetworkAccess') === 'Enabled' &&
    at(files?.body, 'properties.networkAcls.defaultAction') === 'Allow'
      ? []
      : [`${labelOf(files)}: links lead nowhere, the account is not open`]),
  ];
}

/** The account that holds a container. */
export function accountOf(
  resources: readonly DeployedResource[],
  container: string,
): DeployedResource | undefined {
  const holder = resources.find(
    ({ type, name }) => type === `${account}/blobServices/containers` && name === container,
  );
  return resources.find(({ type, id }) => type === account && holder?.id.startsWith(`${id}/`));
}

/** Names of all resources of a type, in the order of the templates. */
export function namesOf(resources: readonly DeployedResource[], type: string): string[] {
  return resources.flatMap((resource) => (resource.type === type ? [resource.name] : []));
}

/** How a fault names a resource: the file that declares it, and its name. */
export function labelOf(resource: DeployedResource | undefined): string {
  return resource ? `${resource.file} ${resource.name}` : 'a resource that is missing';
}

function onlyKnownSettings(config: Value | undefined): boolean {
  return isValues(config) && Object.keys(config).every((key) => siteSettings.includes(key));
}
