import type { DeployedDatabase } from './command-environment.ts';
import { runCrownsafe } from './crownsafe-command.ts';

/** The managed identity of the app. */
export interface AppIdentity {
  /** Also the name of its login role. */
  readonly name: string;
  readonly objectId: string;
}

/**
 * Makes what is missing in a deployed database: the roles first, because the migrations act as one of them, then the
 * schema.
 *
 * @param settings - as for {@link runCrownsafe}
 * @throws LocalError when the server cannot be reached, or a command fails
 */
export async function prepareDatabase(
  database: DeployedDatabase,
  { name, objectId }: AppIdentity,
  signal: AbortSignal,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  const roles = ['roles', 'apply', '--login', name, '--entra-object-id', objectId];
  for (const args of [roles, ['migrate', 'up']]) await runCrownsafe(database, args, signal, settings);
}
