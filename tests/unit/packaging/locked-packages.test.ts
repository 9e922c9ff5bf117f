import { describe, expect, it } from 'vitest';
import { neededPackages, type PackageLock } from '../../../scripts/packaging/locked-packages.ts';

const azure = { os: 'linux', cpu: 'x64', libc: 'glibc' };
const needed = (packages: PackageLock['packages'], name = 'a', platform = azure) =>
  [...neededPackages({ packages }, [name], platform)].map(([path, version]) => `${path} ${version}`);

describe('the packages that a package needs', () => {
  it('are it, what it depends on and so on, each once', () => {
    const paths = needed({
      'node_modules/a': { version: '1.0.0', dependencies: { '@x/b': '^2.0.0', c: '*' } },
      'node_modules/@x/b': { version: '2.1.0', dependencies: { c: '*', a: '*' } },
      'node_modules/c': { version: '3.0.0' },
      'node_modules/d': { version: '4.0.0' },
    });

    expect(paths).toEqual(['node_modules/a 1.0.0', 'node_modules/@x/b 2.1.0', 'node_modules/c 3.0.0']);
  });

  it('are the nearest where a name is there twice', () => {
    const paths = needed({
      'node_modules/a': { version: '1.0.0', dependencies: { b: '^1.0.0' } },
      'node_modules/a/node_modules/b': { version: '1.5.0', dependencies: { c: '*', d: '*' } },
      'node_modules/a/node_modules/c': { version: '1.7.0' },
      'node_modules/b': { version: '2.0.0' },
      'node_modules/c': { version: '3.0.0' },
      'node_modules/d': { version: '4.0.0' },
    });

    expect(paths).toEqual([
      'node_modules/a 1.0.0',
      'node_modules/a/node_modules/b 1.5.0',
      'node_modules/a/node_modules/c 1.7.0',
      'node_modules/d 4.0.0',
    ]);
  });

  it('are without optional ones for another platform, or that the lock leaves out', () => {
    const optional = {
      'a-linux': { version: '1.0.0', os: ['linux'], cpu: ['x64'], libc: ['glibc'] },
      'a-musl': { version: '1.0.0', os: ['linux'], cpu: ['x64'], libc: ['musl'] },
      'a-arm': { version: '1.0.0', os: ['linux'], cpu: ['arm64'] },
      'a-mac': { version: '1.0.0', os: ['darwin'] },
      'a-posix': { version: '1.0.0', os: ['!win32'] },
      'a-no-linux': { version: '1.0.0', os: ['!linux'] },
    };
    const entries = Object.entries(optional).map(([name, entry]) => [`node_modules/${name}`, entry]);
    const names = [...Object.keys(optional), 'a-forgotten'].map((name) => [name, '1.0.0']);
    const packages = {
      'node_modules/a': { version: '1.0.0', optionalDependencies: Object.fromEntries(names) },
      ...Object.fromEntries(entries),
    };

    expect(needed(packages)).toEqual([
      'node_modules/a 1.0.0',
      'node_modules/a-linux 1.0.0',
      'node_modules/a-posix 1.0.0',
    ]);
    expect(needed(packages, 'a', { os: 'darwin', cpu: 'arm64', libc: 'glibc' })).toEqual([
      'node_modules/a 1.0.0',
      'node_modules/a-mac 1.0.0',
      'node_modules/a-posix 1.0.0',
      'node_modules/a-no-linux 1.0.0',
    ]);
  });

  it('have to be in the lock', () => {
    expect(() => needed({ 'node_modules/a': { version: '1.0.0', dependencies: { b: '*' } } })).toThrow(
      'package-lock.json does not hold b',
    );
  });

  it('may not be there for development only', () => {
    expect(() => needed({ 'node_modules/a': { version: '1.0.0', dev: true } })).toThrow(
      'a, so it belongs into dependencies',
    );
  });
});
