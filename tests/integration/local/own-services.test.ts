import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { defaultSettings } from '../../../local/app-environment.ts';
import { type OwnServices, startOwnServices } from '../../../local/own-services.ts';
import { pickFreePorts } from '../../../local/services/ports.ts';
import { readLocalSettings } from '../../../local/settings.ts';
import { makeTemporaryFolder } from '../../support/temporary-folder.ts';

describe('the services of a checkout', () => {
  let folder: string;
  let ports: NodeJS.ProcessEnv;
  let started: OwnServices[];

  beforeEach(async () => {
    const [blob, queue, table, postgres] = await pickFreePorts(4);
    folder = makeTemporaryFolder();
    started = [];
    ports = {
      LOCAL_FOLDER: folder,
      AZURITE_BLOB_PORT: String(blob),
      AZURITE_QUEUE_PORT: String(queue),
      AZURITE_TABLE_PORT: String(table),
      LOCAL_POSTGRES_PORT: String(postgres),
    };
  });
  afterEach(async () => {
    for (const services of started) await services.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(own: NodeJS.ProcessEnv) {
    const settings = readLocalSettings(folder, { ...ports, ...own });
    const services = await startOwnServices(settings, new AbortController());
    started.push(services);
    return { services, settings };
  }

  it('are left out where the user has set an address', async () => {
    const own = {
      AzureWebJobsStorage: inject('storageConnectionString'),
      DATABASE_URL: inject('databaseUrl'),
    };

    const { services } = await start(own);

    expect([services.azurite, services.postgres]).toEqual([undefined, undefined]);
  });

  it('run also when the address that is set is theirs', async () => {
    const first = await start({ AzureWebJobsStorage: inject('storageConnectionString') });
    const { DATABASE_URL } = defaultSettings(first.settings, first.services);
    await first.services.stop();

    const second = await start({ AzureWebJobsStorage: inject('storageConnectionString'), DATABASE_URL });

    expect(second.services.postgres?.appUrl).toBe(DATABASE_URL);
  });

  it('are all stopped when one of them cannot start', async () => {
    const postgresPort = String(ports['LOCAL_POSTGRES_PORT']);

    const attempt = start({ AZURITE_TABLE_PORT: new URL(inject('databaseUrl')).port });

    await expect(attempt).rejects.toThrow('wanted by Azurite (tables), is taken by another program');
    const again = await start({ AzureWebJobsStorage: inject('storageConnectionString') });
    expect(again.services.postgres?.url).toContain(`:${postgresPort}/`);
  });
});
