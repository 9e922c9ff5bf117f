import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { LocalError } from '../../local/local-error.ts';
import { type BundledFile, external, makeBundle, nodeMajor } from '../bundle.ts';
import { type FolderContent, readFolder } from './folder-content.ts';
import { installPackages } from './install-packages.ts';
import type { Platform } from './locked-packages.ts';
import { openFolders, writeExactly } from './permissions.ts';

/** A package that has been made. */
export interface MadePackage {
  /** What the app in it says it is: the version of package.json, `+`, and 12 digits of what the package is made of. */
  readonly version: string;
  readonly content: FolderContent;
  readonly metafile: Metafile;
}

/** Where the package runs: Functions on Linux. */
export const azure: Platform = { os: 'linux', cpu: 'x64', libc: 'glibc' };

/** The platform lets 1 GB through; ours is a twentieth of that, and each new instance has to fetch it. */
const limitBytes = 50 * 1024 * 1024;

/**
 * Makes the folder that is deployed, out of the checkout `root`: the bundle without its source maps, host.json, a
 * package.json of five fields, and the packages that cannot be bundled. The same commit makes the same bytes,
 * whoever makes it, where and when.
 *
 * @param folder - does not exist, or is empty
 * @throws LocalError when the app does not build, needs what is not to be had, or is larger than 50 MB
 */
export async function makePackage(root: string, folder: string, platform = azure): Promise<MadePackage> {
  const plain = await makeBundle(root);
  await mkdir(folder, { recursive: true });
  await writeExactly(join(folder, 'host.json'), await readFile(join(root, 'host.json')));
  await installPackages(root, folder, packagesToInstall(plain.metafile), platform);
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const version = `${manifest.version}+${digestOf(deployed(plain.files), await readFolder(folder))}`;
  const { files, metafile } = await makeBundle(root, version);
  for (const { name, contents, mode } of deployed(files))
    await writeExactly(join(folder, name), contents, mode);
  await writeExactly(join(folder, 'package.json'), packageJson(manifest.name, version));
  await openFolders(folder);
  const content = await readFolder(folder);
  requireSize(content);
  return { version, content, metafile };
}

/** Maps would cost each cold start 13 to 22 ms and 10 to 20 MB: with the switch for them on, Node reads them all at once. */
function deployed(files: readonly BundledFile[]): BundledFile[] {
  return files.filter(({ name }) => !name.endsWith('.map'));
}

/**
 * Tells one package from another whose version in package.json nobody has raised. It goes into the code, so it is the
 * digest of the code as it was without.
 */
function digestOf(files: readonly BundledFile[], others: FolderContent): string {
  const hash = createHash('sha256').update(others.sha256);
  for (const { name, contents, mode } of files.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
    hash.update(`${name}\n${mode}\n${contents.length}\n`).update(contents);
  return hash.digest('hex').slice(0, 12);
}

function packageJson(name: string, version: string): string {
  const manifest = { name, version, type: 'module', main: 'index.js', engines: { node: `>=${nodeMajor}` } };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** Names of the packages that the bundle imports and neither Node nor the platform has. */
function packagesToInstall({ outputs }: Metafile): string[] {
  const imports = Object.values(outputs).flatMap((output) => output.imports);
  const outside = imports.filter((one) => one.external && !isBuiltin(one.path));
  const names = new Set(outside.map(({ path }) => /^(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path));
  const known = new Set<string>(Object.values(external).flat());
  for (const name of names)
    if (!known.has(name))
      throw new LocalError(
        `The app imports ${name}, which is not to be found. Install it, or say in scripts/bundle.ts where it comes from.`,
      );
  return external.installed.filter((name) => names.has(name));
}

function requireSize({ files, sizeBytes }: FolderContent): void {
  if (sizeBytes <= limitBytes) return;
  const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  const largest = files.toSorted((a, b) => b.sizeBytes - a.sizeBytes).slice(0, 5);
  const list = largest.map((file) => `  ${megabytes(file.sizeBytes)}  ${file.path}`).join('\n');
  throw new LocalError(
    `The package has ${megabytes(sizeBytes)}; ${megabytes(limitBytes)} are allowed. The largest files:\n${list}`,
  );
}
