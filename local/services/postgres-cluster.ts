import { execFile } from 'node:child_process';
import { chownSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LocalError } from '../local-error.ts';
import type { PostgresPlace } from './postgres-place.ts';
import { superuser } from './postgres-urls.ts';

const run = promisify(execFile);

/**
 * Makes the cluster's data folder, the first time only. It appears under its name when it is complete, so that a
 * first start that was killed leaves nothing that a second one would take for a database.
 *
 * @throws LocalError when the data there is of another major version
 */
export async function prepareCluster(place: PostgresPlace, password: string): Promise<string> {
  const data = join(place.folder, 'data');
  if (!existsSync(data)) await createCluster(place, data, password);
  await requireSameMajor(place, data);
  return data;
}

async function createCluster(place: PostgresPlace, data: string, password: string): Promise<void> {
  const unfinished = `${data}.part`;
  const passwordFile = join(place.folder, 'password');
  rmSync(unfinished, { recursive: true, force: true });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (place.account !== undefined) chownSync(passwordFile, place.account.uid, place.account.gid);
  try {
    await run(join(place.installation, 'bin', 'initdb'), initdbArguments(unfinished, passwordFile), {
      ...place.account,
      cwd: place.folder,
    });
  } finally {
    rmSync(passwordFile);
  }
  renameSync(unfinished, data);
}

/** The locale is PostgreSQL's own, so that texts sort alike on every machine. */
function initdbArguments(data: string, passwordFile: string): string[] {
  return [
    `--pgdata=${data}`,
    `--username=${superuser}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--set=timezone=UTC',
    '--set=log_timezone=UTC',
    '--no-instructions',
  ];
}

async function requireSameMajor(place: PostgresPlace, data: string): Promise<void> {
  const { stdout } = await run(
    join(place.installation, 'bin', 'postgres'),
    ['--version'],
    place.account ?? {},
  );
  const installed = /\d+/.exec(stdout)?.[0];
  const made = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  if (installed !== made)
    throw new LocalError(
      `The data in ${data} was made by PostgreSQL ${made}, and ${installed} is installed. Empty it with: npm run reset`,
    );
}
