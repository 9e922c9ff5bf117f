import type { TestProject } from 'vitest/node';
import { bundle } from '../../scripts/bundle.ts';
import { root, startApp } from './app.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the built app answers, without a slash at the end. */
    baseUrl: string;
    /** An API key with the scope `admin`. */
    adminKey: string;
  }
}

/** Builds the app and starts the one that all end-to-end tests share; the returned function stops it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Never test the behaviour of an older build.
  await bundle(root);
  const app = await startApp();
  project.provide('baseUrl', app.baseUrl);
  project.provide('adminKey', app.adminKey);
  project.provide('storageConnectionString', app.storageConnectionString);
  project.provide('databaseUrl', app.databaseUrl);
  return () => app.stop();
}
