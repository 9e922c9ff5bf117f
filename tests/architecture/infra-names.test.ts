import { describe, expect, it } from 'vitest';
import { endpoints, queues, timers } from '../../src/functions/index.ts';
import { describeSettings } from '../../src/lib/config/index.ts';
import {
  differences,
  listedTexts,
  openedNames,
  readyGroups,
  strayPaths,
  unknownOutputs,
} from './checks/infra-names.ts';
import { accountOf, namesOf } from './checks/infra-security.ts';
import { at } from './reading/bicep/values.ts';
import { deployInfra, edited, type Variant } from './reading/infra.ts';
import { readSources, readText } from './reading/project-files.ts';
import { parseSource } from './reading/source-file.ts';

const prod: Variant = { profile: 'prod', networkClosed: false };
const containers = 'Microsoft.Storage/storageAccounts/blobServices/containers';
const dataStorage = 'infra/modules/data-storage.bicep';
const deployedNames = (type: string, readFile = readText) =>
  namesOf(deployInfra(prod, readFile).resources, type);

const settingDefault = (setting: string) =>
  describeSettings().find(({ name }) => name === setting)?.defaultText;
/** What the composition root and the commands open; rooms are handed what they need. */
const opened = (method: string) => {
  const files = readSources('src').filter(({ path }) => !path.startsWith('src/lib/'));
  return openedNames(files, method, settingDefault);
};

/** Containers of the code: those it opens, and those it keeps for itself. The package is opened by the platform only. */
function containersOfCode(): string[] {
  const settings = parseSource('storage.ts', readText('src/lib/config/settings/storage.ts'));
  return [
    ...new Set([...opened('blobs'), ...opened('locks'), ...listedTexts(settings, 'reservedContainers')]),
  ];
}

describe('names in code', () => {
  it('are read from calls, whatever is called, and from the defaults of settings', () => {
    const file = parseSource(
      'a.ts',
      "storage.blobs(config.COLOR, 1); a().blobs('b'); blobs('c'); d.table('e');",
    );

    expect(openedNames([file], 'blobs', (name) => (name === 'COLOR' ? 'red' : undefined))).toEqual([
      'b',
      'red',
    ]);
    expect(() => openedNames([file], 'blobs', () => undefined)).toThrow('cannot be read');
  });
});

describe('containers, queues and tables', () => {
  it('are deployed where code opens them, and opened where they are deployed', () => {
    const ofPlatform = ['app-package'];

    expect(
      differences('container', [...containersOfCode(), ...ofPlatform], deployedNames(containers)),
    ).toEqual([]);
    expect(containersOfCode().length).toBeGreaterThan(3);
  });

  it('lie in the account that code opens them in', () => {
    const { resources } = deployInfra(prod);
    const names = [
      'crownsafe-images',
      'crownsafe-trash',
      'crownsafe-reports',
      'crownsafe-locks',
      'app-package',
    ];
    const accounts = names.map((name) => accountOf(resources, name)?.name);

    expect(new Set(accounts)).toEqual(new Set(['stabcdefghijklm']));
    for (const name of ['crownsafe-backups', 'crownsafe-audit'])
      expect(accountOf(resources, name)?.name).toBe('stbkabcdefghijklm');
  });

  it('are the same queue and the same table on both sides', () => {
    const triggers = queues.map(({ queueName }) => queueName);
    const queueNames = [...new Set([...triggers, ...opened('queue')])];

    const storage = 'Microsoft.Storage/storageAccounts';
    expect(differences('queue', queueNames, deployedNames(`${storage}/queueServices/queues`))).toEqual([]);
    expect(differences('table', opened('table'), deployedNames(`${storage}/tableServices/tables`))).toEqual(
      [],
    );
    expect(triggers).not.toEqual([]);
    expect(opened('table')).not.toEqual([]);
  });

  it.each([
    ["'crownsafe-trash'", "'crownsafe-bin'", containers],
    ["name: 'jobs'", "name: 'tasks'", 'Microsoft.Storage/storageAccounts/queueServices/queues'],
    ["'crownsafebackups'", "'backups'", 'Microsoft.Storage/storageAccounts/tableServices/tables'],
  ])('are refused when %s is %s', (from, to, type) => {
    const before = deployedNames(type);
    const after = deployedNames(type, edited(dataStorage, from, to));

    expect(differences('name', before, after)).toHaveLength(2);
  });
});

describe('function groups', () => {
  const expected = () => ['http', ...[...timers, ...queues].map(({ name }) => `function:${name}`)];

  it('are kept ready in prod as the functions that exist, and none in dev', () => {
    expect(differences('function group', expected(), readyGroups(deployInfra(prod)))).toEqual([]);
    expect(readyGroups(deployInfra({ profile: 'dev', networkClosed: false }))).toEqual([]);
    expect(endpoints.length).toBeGreaterThan(10);
  });

  it('are refused when a function is renamed', () => {
    const renamed = edited('infra/modules/functionapp.bicep', 'function:maintenance', 'function:tidy');

    expect(differences('function group', expected(), readyGroups(deployInfra(prod, renamed)))).toEqual([
      'function group function:maintenance is not deployed',
      'function group function:tidy is used by nothing',
    ]);
  });
});

describe('paths of the API in the templates', () => {
  const routes = endpoints.map(({ route }) => route);
  const withOutput = (value: string) =>
    deployInfra(
      prod,
      edited(
        'infra/main.bicep',
        'output AZURE_LOCATION string = location',
        `output AZURE_LOCATION string = location\noutput PROBE string = ${value}`,
      ),
    );

  it('are routes', () => {
    expect(strayPaths(deployInfra(prod), routes)).toEqual([]);
    expect(strayPaths(withOutput("'https://a.azurewebsites.net/api/v1/health/live'"), routes)).toEqual([]);
  });

  it('are refused when no function serves them', () => {
    expect(strayPaths(withOutput("'/api/v1/health/alive'"), routes)).toEqual(['api/v1/health/alive']);
    expect(strayPaths(withOutput("'https://a.azurewebsites.net/healthy'"), routes)).toEqual(['healthy']);
  });
});

describe('names that scripts ask azd for', () => {
  it('are outputs, or of azd itself', () => {
    expect(unknownOutputs(readSources('scripts'), deployInfra(prod))).toEqual([]);
  });

  it('are refused when there is no such output', () => {
    const script = parseSource(
      'a.ts',
      "read('POSTGRES_HOST', 'AZURE_SUBSCRIPTION_ID');\nread('POSTGRES_PORT');",
    );

    expect(unknownOutputs([script], deployInfra(prod))).toEqual(['a.ts:2 POSTGRES_PORT']);
  });
});

describe('the platform', () => {
  const { resources } = deployInfra(prod);

  it('runs the Node that the project is developed with', () => {
    const site = resources.find(({ type }) => type === 'Microsoft.Web/sites');
    const [major] = JSON.parse(readText('package.json')).devDependencies.node.split('.');

    expect(at(site?.body, 'properties.functionAppConfig.runtime')).toEqual({ name: 'node', version: major });
  });

  it('does not maintain the database while the nightly backup runs', () => {
    const server = resources.find(({ type }) => type === 'Microsoft.DBforPostgreSQL/flexibleServers');
    const maintenanceHour = Number(at(server?.body, 'properties.maintenanceWindow.startHour'));
    const nightly = timers.find(({ name }) => name === 'backup-nightly');
    const backupHour = Number(nightly?.schedule.split(' ')[2]);

    expect(Math.abs(maintenanceHour - backupHour)).toBeGreaterThanOrEqual(2);
  });
});
