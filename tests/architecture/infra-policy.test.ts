import { describe, expect, it } from 'vitest';
import { dataFaults, lockFaults, logFaults } from './checks/infra-data.ts';
import { namedRoles, roleFaults } from './checks/infra-roles.ts';
import { networkFaults, securityFaults } from './checks/infra-security.ts';
import { parameterFileFaults, resourceFaults, templateFaults } from './checks/infra-templates.ts';
import { parseBicep } from './reading/bicep/file.ts';
import { deployInfra, edited, infraTemplates, type Variant, variants } from './reading/infra.ts';
import { readText } from './reading/project-files.ts';

const module = (name: string) => `infra/modules/${name}.bicep`;

/** Everything that is wrong with one variant, with the files as they are or as they would be. */
function faultsOf(variant: Variant, readFile = readText): string[] {
  const deployment = deployInfra(variant, readFile);
  const roles = namedRoles(parseBicep(module('rbac'), readFile(module('rbac'))));
  return [
    ...securityFaults(deployment),
    ...networkFaults(deployment, variant),
    ...dataFaults(deployment),
    ...lockFaults(deployment, variant),
    ...logFaults(deployment),
    ...roleFaults(deployment, roles),
    ...resourceFaults(deployment),
    ...infraTemplates().flatMap((path) => templateFaults(parseBicep(path, readFile(path)))),
  ];
}

describe('what the templates deploy', () => {
  it.each(variants)(
    'keeps the rules as $profile with networkClosed $networkClosed to $allowedIpRanges',
    (variant) => {
      expect(faultsOf(variant)).toEqual([]);
      expect(deployInfra(variant).resources.length).toBeGreaterThan(40);
    },
  );

  it.each<[file: string, from: string, to: string, fault: string]>([
    ['data-storage', 'allowSharedKeyAccess: false', 'allowSharedKeyAccess: true', 'lets keys in'],
    ['backup-storage', 'allowBlobPublicAccess: false', '', 'lets the public in'],
    ['data-storage', "publicAccess: 'None'", "publicAccess: 'Blob'", 'lets the public in'],
    ['backup-storage', "'TLS1_2'", "'TLS1_0'", 'older than TLS 1.2'],
    ['data-storage', 'supportsHttpsTrafficOnly: true', 'supportsHttpsTrafficOnly: false', 'plain HTTP'],
    ['postgres', "passwordAuth: 'Disabled'", "passwordAuth: 'Enabled'", 'lets passwords in'],
    ['postgres', "value: 'on'", "value: 'off'", 'without TLS'],
    ['postgres', "'TLSv1.2'", "'TLSv1.1'", 'older than TLS 1.2'],
    ['functionapp', 'httpsOnly: true', 'httpsOnly: false', 'plain HTTP'],
    ['functionapp', "scmMinTlsVersion: '1.2'", "scmMinTlsVersion: '1.0'", 'older than TLS 1.2'],
    ['functionapp', 'http20Enabled: true', "ftpsState: 'Disabled'", 'refused by Flex Consumption'],
    ['functionapp', 'http20Enabled: true', "cors: { allowedOrigins: ['*'] }", 'answers for the app'],
    ['functionapp', "name: 'scm'", "name: 'ftp'", 'deploying by scm'],
    ['keyvault', 'enableRbacAuthorization: true', 'enableRbacAuthorization: false', 'rights of its own'],
    ['monitoring', 'DisableLocalAuth: true', 'DisableLocalAuth: false', 'lets keys in'],
    ['data-storage', "'Enabled'", "'Disabled'", 'the account is not open'],
    ['data-storage', 'isVersioningEnabled: false', 'isVersioningEnabled: true', 'keeps what the app'],
    ['backup-storage', 'isVersioningEnabled: false', 'isVersioningEnabled: true', 'keeps what the app'],
    ['data-storage', 'restorePolicy: { enabled: false }', 'restorePolicy: { enabled: true }', 'keeps what'],
    ['data-storage', 'softDeleteDays = 7', 'softDeleteDays = 30', 'is not 7 days'],
    ['backup-storage', 'immutableDays = 2', 'immutableDays = 30', 'longer than the shortest are kept'],
    ['backup-storage', 'scope: blobs', 'scope: account', 'nothing is logged'],
    [
      'rbac',
      "roleDefinitions', roles['Storage Blob Delegator'])",
      "roleDefinitions', '8e3af657-a8ff-443c-a75c-2fe8c4bcb635')",
      'is of a role that has no name',
    ],
    ['rbac', 'scope: component\n', '', 'is for a whole group'],
    ['rbac', "reason: 'The app sends jobs", "reason: '' \nother: 'The app sends jobs", 'has no reason'],
    [
      'rbac',
      "  'Storage Blob Delegator':",
      "  'Reader': 'acdd72a7'\n  'Storage Blob Delegator':",
      'to nobody',
    ],
    ['monitoring', 'location: location\n  tags: tags\n  kind', 'location: location\n  kind', 'has no tags'],
    ['identity', "@description('Required. Azure region.')\n", '', 'beginning with Required.'],
    ['identity', 'param location string', "param location string = 'x'", 'beginning with Optional.'],
    ['identity', "@description('Name of the identity.')\n", '', 'has no description'],
    ['monitoring', '= component.name', '= component.properties.ConnectionString', 'gives out a secret'],
  ])('is refused when %s.bicep has not %s but %s', (name, from, to, fault) => {
    const faults = faultsOf({ profile: 'dev', networkClosed: false }, edited(module(name), from, to));

    expect(faults).toContainEqual(expect.stringContaining(fault));
  });

  it.each<[file: string, from: string, to: string, variant: Variant, fault: string]>([
    [
      module('network'),
      "  { name: 'vault', id: vaultId, group: 'vault', zone: 'privatelink.vaultcore.azure.net' }\n",
      '',
      { profile: 'dev', networkClosed: true },
      'has no private endpoint',
    ],
    [
      'infra/main.bicep',
      'locked: false',
      'locked: true',
      { profile: 'dev', networkClosed: false },
      'no locks',
    ],
    [
      'infra/main.bicep',
      'locked: true',
      'locked: false',
      { profile: 'prod', networkClosed: false },
      'deleted by mistake',
    ],
    [
      module('network'),
      'Microsoft.Network/networkSecurityGroups@2025-05-01',
      'Microsoft.Network/natGateways@2025-05-01',
      { profile: 'dev', networkClosed: true },
      'is not decided',
    ],
  ])('is refused when %s has not %s but %s in %o', (path, from, to, variant, fault) => {
    const readFile =
      path === module('network') && from.startsWith('Microsoft.Network')
        ? (asked: string) => (asked === path ? readText(path).replace(from, to) : readText(asked))
        : edited(path, from, to);

    expect(faultsOf(variant, readFile)).toContainEqual(expect.stringContaining(fault));
  });

  it('is refused with an alert rule, a lifecycle rule that deletes, or a module of a registry', () => {
    const rule = `
      resource rule 'Microsoft.Insights/metricAlerts@2018-03-01' = { name: 'a' location: 'global' }
      resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = {
        parent: account
        name: 'default'
        properties: { policy: { rules: [{ definition: { actions: { baseBlob: { delete: { days: 1 } } } } }] } }
      }`;
    const added = edited(module('data-storage'), "resource tables '", `${rule}\nresource tables '`);
    const faults = faultsOf({ profile: 'dev', networkClosed: false }, added);
    const registry = parseBicep('a.bicep', "module m 'br/public:avm/res/x:1.0.0' = { params: {} }");

    expect(faults).toContainEqual(expect.stringContaining('there are no alert rules yet'));
    expect(faults).toContainEqual(expect.stringContaining('deletes, as only the app may'));
    expect(templateFaults(registry)).toEqual([expect.stringContaining('comes from a registry')]);
  });
});

describe('infra/main.parameters.json', () => {
  it('fills each parameter from its own variable', () => {
    const { parameters } = JSON.parse(readText('infra/main.parameters.json'));

    expect(parameters).toEqual({
      environmentName: { value: `\${AZURE_ENV_NAME}` },
      location: { value: `\${AZURE_LOCATION}` },
      profile: { value: `\${DEPLOY_PROFILE=dev}` },
      environmentKind: { value: `\${ENVIRONMENT_KIND=production}` },
      networkClosed: { value: `\${NETWORK_CLOSED=false}` },
      allowedIpRanges: { value: `\${ALLOWED_IP_RANGES=}` },
      databaseAdminObjectId: { value: `\${DATABASE_ADMIN_OBJECT_ID}` },
      databaseAdminName: { value: `\${DATABASE_ADMIN_NAME}` },
      databaseAdminType: { value: `\${DATABASE_ADMIN_TYPE=User}` },
      deployerPrincipalId: { value: `\${AZURE_PRINCIPAL_ID}` },
      corsOrigins: { value: `\${CORS_ORIGINS=}` },
      backupsLocked: { value: `\${BACKUPS_LOCKED=false}` },
      furtherSettings: { value: `\${FURTHER_SETTINGS=}` },
    });
  });

  const main = () => parseBicep('infra/main.bicep', readText('infra/main.bicep'));

  it('sets every parameter and no other', () => {
    expect(parameterFileFaults(main(), readText('infra/main.parameters.json'))).toEqual([]);
  });

  it('is refused without a parameter, or with one too many', () => {
    const { parameters } = JSON.parse(readText('infra/main.parameters.json'));
    const { location, ...others } = parameters;
    const text = JSON.stringify({ parameters: { ...others, place: location } });

    expect(parameterFileFaults(main(), text)).toEqual(['location is not set', 'place does not exist']);
  });
});

describe('infra/bicepconfig.json', () => {
  const { analyzers } = JSON.parse(readText('infra/bicepconfig.json'));

  // Linting fails for errors only. What is recent depends on the day, and must not fail a change that is about something else.
  it('makes an error of every rule but the one that time breaks', () => {
    const levels = Object.entries<{ level: string }>(analyzers.core.rules).map(
      ([rule, { level }]) => [rule, level] as const,
    );

    expect(analyzers.core.enabled).toBe(true);
    expect(levels.filter(([, level]) => level !== 'error')).toEqual([['use-recent-api-versions', 'warning']]);
    expect(levels.map(([rule]) => rule)).toEqual(
      expect.arrayContaining([
        'no-hardcoded-env-urls',
        'outputs-should-not-contain-secrets',
        'secure-parameter-default',
        'secure-params-in-nested-deploy',
        'secure-secrets-in-params',
        'use-secure-value-for-secure-inputs',
      ]),
    );
  });
});
