import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { readFolder } from '../../scripts/packaging/folder-content.ts';
import { makePackage } from '../../scripts/packaging/make-package.ts';
import { startApp } from './app.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';
import { thisMachine } from './this-machine.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The package as it is deployed, far from the checkout, so that only its own files can be found. */
    appFolder: string;
    /** Where the packaged app answers, without a slash at the end. */
    baseUrl: string;
    /** An API key with the scope `admin`. */
    adminKey: string;
    /** The database, as the app logs in to it. */
    appDatabaseUrl: string;
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Makes the package and starts the app that all end-to-end tests share; the returned function stops it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await using cleanUp = new AsyncDisposableStack();
  const appFolder = makeTemporaryFolder();
  cleanUp.defer(() => rm(appFolder, { recursive: true, force: true }));
  const { content } = await makePackage(root, appFolder, thisMachine());
  const app = await startApp(appFolder);
  cleanUp.defer(() => app.stop());
  project.provide('appFolder', appFolder);
  project.provide('baseUrl', app.baseUrl);
  project.provide('adminKey', app.adminKey);
  project.provide('storageConnectionString', app.storageConnectionString);
  project.provide('databaseUrl', app.databaseUrl);
  project.provide('appDatabaseUrl', app.env['DATABASE_URL'] ?? '');
  const owned = cleanUp.move();
  return async () => {
    await using _ = owned;
    const { sha256 } = await readFolder(appFolder);
    if (sha256 !== content.sha256)
      throw new Error('The app has written into its own folder, which is read-only in Azure.');
  };
}
