import { LocalError } from '../../local/local-error.ts';

/** What a package with native code is built for, in npm's words. */
export interface Platform {
  readonly os: string;
  readonly cpu: string;
  readonly libc: string;
}

/** The part of package-lock.json (version 3) that is read here; keys are paths such as `node_modules/sharp`. */
export interface PackageLock {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

/**
 * The packages of the lock that these need at run time on a platform, they themselves included: path and version.
 * Optional ones that are for another platform are left out, as npm does.
 *
 * @throws LocalError when the lock does not hold one of them, or only for development
 */
export function neededPackages(
  lock: PackageLock,
  names: readonly string[],
  platform: Platform,
): ReadonlyMap<string, string> {
  const needed = new Map<string, string>();
  const add = (name: string, from: string, optional: boolean) => {
    const path = resolve(lock, name, from);
    const found = path === undefined ? undefined : lock.packages[path];
    if (optional && (!found || !isFor(platform, found))) return;
    if (path === undefined || found?.version === undefined)
      throw new LocalError(`package-lock.json does not hold ${name}, which the app needs. Run npm install.`);
    if (found.dev)
      throw new LocalError(
        `The app needs ${name}, so it belongs into dependencies, not into devDependencies.`,
      );
    if (needed.has(path)) return;
    needed.set(path, found.version);
    for (const next of Object.keys(found.dependencies ?? {})) add(next, path, false);
    for (const next of Object.keys(found.optionalDependencies ?? {})) add(next, path, true);
  };
  for (const name of names) add(name, '', false);
  return needed;
}

/** The path under which Node finds a package from inside of another: the nearest `node_modules` that holds it. */
function resolve({ packages }: PackageLock, name: string, from: string): string | undefined {
  const path = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`;
  if (path in packages) return path;
  if (from === '') return undefined;
  const above = from.lastIndexOf('/node_modules/');
  return resolve({ packages }, name, above < 0 ? '' : from.slice(0, above));
}

function isFor(platform: Platform, { os, cpu, libc }: LockedPackage): boolean {
  return allows(os, platform.os) && allows(cpu, platform.cpu) && allows(libc, platform.libc);
}

/** Such a list names what is allowed, or with `!` what is not. */
function allows(list: readonly string[] = [], value: string): boolean {
  if (list.some((entry) => entry.startsWith('!'))) return !list.includes(`!${value}`);
  return list.length === 0 || list.includes(value);
}
