import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errorCode, LocalError } from '../../local/local-error.ts';
import { neededPackages, type PackageLock, type Platform } from './locked-packages.ts';
import { writeExactly } from './permissions.ts';

/** What no program reads: declarations, maps, documents, sources to compile. Licences stay. */
const unneeded = /\.(?:[cm]?ts|map|md|cc|h|gyp)$/;
const licence = /^(?:licen[cs]e|notice)/i;

/**
 * Puts packages and all that they need into the `node_modules` of a folder, in the versions of the checkout's lock and
 * for the given platform. They are copied from the checkout, like everything else in the bundle; what the checkout
 * does not have, because it is on another platform, npm installs.
 *
 * @throws LocalError when the lock does not hold them, or npm cannot install them
 */
export async function installPackages(
  root: string,
  folder: string,
  names: readonly string[],
  platform: Platform,
): Promise<void> {
  if (names.length === 0) return;
  const lock: PackageLock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  const needed = neededPackages(lock, names, platform);
  await using cleanUp = new AsyncDisposableStack();
  let source = root;
  if (!(await holds(root, needed))) {
    source = await mkdtemp(join(tmpdir(), 'crown-safe-package-'));
    cleanUp.defer(() => rm(source, { recursive: true, force: true }));
    await installInto(source, root, platform);
    if (!(await holds(source, needed)))
      throw new LocalError(`npm has not installed what package-lock.json holds of ${names.join(', ')}.`);
  }
  for (const path of needed.keys()) await copyPackage(join(source, path), join(folder, path));
}

async function holds(root: string, packages: ReadonlyMap<string, string>): Promise<boolean> {
  for (const [path, version] of packages) {
    const text = await readFile(join(root, path, 'package.json'), 'utf8').catch(() => '{}');
    if (JSON.parse(text).version !== version) return false;
  }
  return true;
}

/** Installs the dependencies of the checkout for a platform; npm compares every byte with the digest of the lock. */
async function installInto(folder: string, root: string, { os, cpu, libc }: Platform): Promise<void> {
  for (const name of ['package.json', 'package-lock.json', '.npmrc'])
    await copyFile(join(root, name), join(folder, name)).catch((error) => {
      if (errorCode(error) !== 'ENOENT') throw error;
    });
  const args = ['ci', '--omit=dev', '--ignore-scripts', `--os=${os}`, `--cpu=${cpu}`, `--libc=${libc}`];
  await promisify(execFile)('npm', args, { cwd: folder }).catch((cause) => {
    const said = cause.stderr ?? cause;
    throw new LocalError(`npm could not install packages for ${os}-${cpu}-${libc}.\n${said}`, { cause });
  });
}

async function copyPackage(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const { name } = entry;
    // Packages inside of this one are needed by themselves, or not at all.
    if (entry.isDirectory() && name !== 'node_modules') await copyPackage(join(from, name), join(to, name));
    if (entry.isFile() && (licence.test(name) || !unneeded.test(name)))
      await writeExactly(join(to, name), await readFile(join(from, name)));
  }
}
