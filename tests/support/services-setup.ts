import { rm } from 'node:fs/promises';
import type { TestProject } from 'vitest/node';
import { startServices } from '../../local/services/start-services.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection string of an Azurite that all files of the project share. */
    storageConnectionString: string;
    /** Address of an empty database in the PostgreSQL that all files share; see `createDatabase` for one of one's own. */
    databaseUrl: string;
  }
}

/** Starts the services of the integration tests; the returned function stops them and removes their data. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = makeTemporaryFolder();
  const services = await startServices({ folder, temporary: true });
  project.provide('storageConnectionString', services.storageConnectionString);
  project.provide('databaseUrl', services.databaseUrl);
  return async () => {
    await services.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
