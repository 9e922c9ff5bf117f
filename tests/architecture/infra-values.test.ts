import { describe, expect, it } from 'vitest';
import { sasRequest } from '../../src/lib/sharing/index.ts';
import { type Named, valueIn, waitsOf } from './checks/infra-values.ts';
import { parseBicep } from './reading/bicep/file.ts';
import { deployInfra } from './reading/infra.ts';
import { readText } from './reading/project-files.ts';

const [dev, prod] = (['dev', 'prod'] as const).map((profile) =>
  deployInfra({ profile, networkClosed: false }),
);
const clientId = '11111111-1111-4111-8111-111111111111';
const identity = 'Microsoft.ManagedIdentity/userAssignedIdentities/id-api-abcdefghijklm';
const ready = (...names: string[]) => names.map((name) => ({ name, instanceCount: 2 }));
const logged = (...categories: string[]) => categories.map((category) => ({ category, enabled: true }));

describe('what a profile stands for', () => {
  it.each<[of: Named, path: string, dev: unknown, prod: unknown]>([
    ['data account', 'sku.name', 'Standard_LRS', 'Standard_ZRS'],
    ['backup account', 'sku.name', 'Standard_LRS', 'Standard_GZRS'],
    [
      'database',
      'sku',
      { name: 'Standard_B2s', tier: 'Burstable' },
      { name: 'Standard_D2ds_v5', tier: 'GeneralPurpose' },
    ],
    ['database', 'highAvailability.mode', 'Disabled', 'ZoneRedundant'],
    [
      'database',
      'backup',
      { backupRetentionDays: 7, geoRedundantBackup: 'Disabled' },
      { backupRetentionDays: 35, geoRedundantBackup: 'Enabled' },
    ],
    ['vault', 'enablePurgeProtection', null, true],
    ['plan', 'zoneRedundant', false, true],
    ['app', 'functionAppConfig.scaleAndConcurrency.maximumInstanceCount', 40, 60],
    [
      'app',
      'functionAppConfig.scaleAndConcurrency.alwaysReady',
      [],
      ready('http', 'function:backup-nightly', 'function:jobs', 'function:maintenance'),
    ],
    ['log workspace', 'workspaceCapping.dailyQuotaGb', 1, -1],
  ])('is, for %s, %s: %o in dev, %o in prod', (of, path, inDev, inProd) => {
    expect(dev && valueIn(dev, of, path)).toEqual(inDev);
    expect(prod && valueIn(prod, of, path)).toEqual(inProd);
  });
});

describe('what every environment has', () => {
  it.each<[of: Named, path: string, value: unknown]>([
    ['data account', 'accessTier', 'Hot'],
    ['data account', 'sasPolicy', { sasExpirationPeriod: '6.00:00:00', expirationAction: 'Log' }],
    ['backup account', 'accessTier', 'Cool'],
    ['backup account', 'sasPolicy', { sasExpirationPeriod: '0.01:00:00', expirationAction: 'Log' }],
    ['immutability', 'immutabilityPeriodSinceCreationInDays', 2],
    ['immutability', 'allowProtectedAppendWrites', false],
    ['immutability of seals', 'immutabilityPeriodSinceCreationInDays', 400],
    ['immutability of seals', 'allowProtectedAppendWrites', false],
    ['vault', 'enableSoftDelete', true],
    // Azure refuses to change it, so it cannot be different by profile.
    ['vault', 'softDeleteRetentionInDays', 90],
    ['database', 'version', '18'],
    ['log of files', 'logs', logged('StorageWrite', 'StorageDelete')],
    ['log of backups', 'logs', logged('StorageRead', 'StorageWrite', 'StorageDelete')],
    ['log of the vault', 'logs', [{ categoryGroup: 'audit', enabled: true }]],
    ['log of the database', 'logs', [{ categoryGroup: 'allLogs', enabled: true }]],
    ['log of the app', 'logs', logged('FunctionAppLogs')],
    ['app', 'identity.userAssignedIdentities', { [identity]: {} }],
    ['app', 'keyVaultReferenceIdentity', identity],
    [
      'app',
      'functionAppConfig.deployment.storage',
      {
        type: 'blobContainer',
        value: 'https://stabcdefghijklm.blob.core.windows.net/app-package',
        authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identity },
      },
    ],
    ['app', 'functionAppConfig.scaleAndConcurrency.instanceMemoryMB', 2048],
  ])('is, for %s, %s: %o', (of, path, value) => {
    for (const deployment of [dev, prod]) expect(deployment && valueIn(deployment, of, path)).toEqual(value);
  });

  it('is CORS on the files for the origins of the settings, without deleting', () => {
    const rules = prod && valueIn(prod, 'files', 'cors.corsRules');

    expect(rules).toMatchObject([
      {
        allowedOrigins: ['https://app.example', 'https://admin.example'],
        allowedMethods: ['GET', 'HEAD', 'PUT', 'OPTIONS'],
      },
    ]);
    const none = deployInfra({ profile: 'dev', networkClosed: false }, readText, { corsOrigins: '' });
    expect(valueIn(none, 'files', 'cors.corsRules')).toEqual([]);
  });

  it('is a longest life of links that the app keeps to', () => {
    const period = String(dev && valueIn(dev, 'data account', 'sasPolicy.sasExpirationPeriod'));
    const [, days, hours, minutes, seconds] = /^(\d+)\.(\d+):(\d+):(\d+)$/.exec(period)?.map(Number) ?? [];
    const most = (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0);
    const isAccepted = (life: number) => sasRequest.shape.expires_in.safeParse(life).success;

    expect([isAccepted(most), isAccepted(most + 1)]).toEqual([true, false]);
  });

  it('is a database that the pg_dump in the package can dump', () => {
    const [, major] = /pg_dump (\d+)\./.exec(readText('src/lib/backup/engine/vendor/README.md')) ?? [];

    expect(Number(dev && valueIn(dev, 'database', 'version'))).toBeLessThanOrEqual(Number(major));
  });

  it('is the immutability of backups only as long as its owner has not locked it', () => {
    const locked = deployInfra({ profile: 'prod', networkClosed: false }, readText, { backupsLocked: true });

    expect(() => valueIn(locked, 'immutability', 'allowProtectedAppendWrites')).toThrow('there is no');
  });
});

describe('the settings by which the app is its identity', () => {
  it.each([
    ['AZURE_CLIENT_ID', clientId],
    ['AZURE_TOKEN_CREDENTIALS', 'ManagedIdentityCredential'],
    ['AzureWebJobsStorage__credential', 'managedidentity'],
    ['AzureWebJobsStorage__clientId', clientId],
    ['APPLICATIONINSIGHTS_AUTHENTICATION_STRING', `ClientId=${clientId};Authorization=AAD`],
  ])('say so: %s is %s', (name, value) => {
    const settings = dev?.resources.find(({ type }) => type === 'Microsoft.Web/sites/config')?.body;

    expect(settings?.['properties']).toHaveProperty(name, value);
  });
});

describe('the order in which Azure makes things', () => {
  const waits = (path: string) => waitsOf(parseBicep(path, readText(path)));

  it('has the app wait for its rights', () => {
    expect(waits('infra/main.bicep')).toEqual({ api: ['rbac'] });
  });

  it('changes the database one thing after another', () => {
    expect(waits('infra/modules/postgres.bicep')).toEqual({
      configurations: ['database', 'one by one'],
      administrator: ['configurations'],
      azureMachines: ['administrator'],
      deployers: ['azureMachines', 'one by one'],
      lock: ['deployers'],
    });
  });
});
