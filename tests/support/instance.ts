import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { inject } from 'vitest';
import { startLocalHost } from '../../local/host/index.ts';
import { pickFreePorts } from '../../local/services/ports.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

/** One instance of the packaged app, on the storage that all end-to-end tests share. */
export interface Instance extends AsyncDisposable {
  readonly url: string;
  readonly logLines: readonly string[];
  /** Stops it and starts it again at the same address. */
  restart(settings: Readonly<Record<string, string>>): Promise<void>;
}

/** Nothing but HTTP: messages and timers would be work of the shared app. */
const httpOnly = {
  'AzureWebJobs.jobs.Disabled': 'true',
  'AzureWebJobs.maintenance.Disabled': 'true',
  'AzureWebJobs.backup-nightly.Disabled': 'true',
};

/** Starts an instance with its own settings. */
export async function startInstance(settings: Readonly<Record<string, string>>): Promise<Instance> {
  const folder = makeTemporaryFolder();
  const [port = 0] = await pickFreePorts(1);
  const logLines: string[] = [];
  const start = (own: Readonly<Record<string, string>>) =>
    startLocalHost({
      appFolder: inject('appFolder'),
      port,
      env: {
        PATH: process.env['PATH'] ?? '',
        ENVIRONMENT: 'test',
        AzureWebJobsStorage: inject('storageConnectionString'),
        ...httpOnly,
        ...own,
      },
      stateFolder: join(folder, 'host'),
      log: (_, line) => logLines.push(line),
    });
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  let host = await start(settings).catch(async (error: unknown) => {
    await removeFolder();
    throw error;
  });
  return {
    url: host.url,
    logLines,
    async restart(changed) {
      await host.stop();
      host = await start(changed);
    },
    async [Symbol.asyncDispose]() {
      await host.stop();
      await removeFolder();
    },
  };
}
