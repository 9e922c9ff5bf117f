import { describe, expect, it } from 'vitest';
import { unexplainedAdvisories } from '../../scripts/supply-chain/advisories.ts';
import { licenceGroups } from '../../scripts/supply-chain/licences.ts';
import { packagesWithScripts, unprovenPackages } from './checks/supply-chain.ts';
import { readText } from './reading/project-files.ts';

const lock = JSON.parse(readText('package-lock.json'));
const sha512 = `sha512-${'A'.repeat(86)}==`;

/**
 * Tools for developers on other systems than the one the lock was made on, where npm has left the hash out. What is built,
 * tested and deployed, on Linux with glibc, needs none of them.
 */
const withoutHash =
  /^node_modules\/(?:@biomejs\/cli|@oxc-parser\/binding)-(?!linux-(?:x64|arm64)(?:-gnu)? )[\w-]+ has no sha512$/;

describe('the lock of packages', () => {
  it('is refused with a package from elsewhere, or without the hash of its bytes', () => {
    const packages = {
      '': {},
      'node_modules/a': { integrity: sha512 },
      'node_modules/b': { integrity: sha512, resolved: 'https://registry.npmjs.org/b/-/b-1.0.0.tgz' },
      'node_modules/c': { integrity: sha512, resolved: 'git+ssh://git@github.com/c/c.git' },
      'node_modules/d': { integrity: sha512, resolved: 'http://registry.npmjs.org/d/-/d-1.0.0.tgz' },
      'node_modules/e': {},
      'node_modules/f': { integrity: 'sha1-AAAA' },
    };

    expect(unprovenPackages({ packages })).toEqual([
      'node_modules/c comes from git+ssh://git@github.com/c/c.git',
      'node_modules/d comes from http://registry.npmjs.org/d/-/d-1.0.0.tgz',
      'node_modules/e has no sha512',
      'node_modules/f has no sha512',
    ]);
  });

  it('has the hash of the tools that are used where it is built', () => {
    const fault = (name: string) => `node_modules/${name} has no sha512`;

    expect(withoutHash.test(fault('@biomejs/cli-darwin-arm64'))).toBe(true);
    expect(withoutHash.test(fault('@biomejs/cli-linux-x64-musl'))).toBe(true);
    for (const name of ['@biomejs/cli-linux-x64', '@oxc-parser/binding-linux-x64-gnu', '@biomejs/biome'])
      expect(withoutHash.test(fault(name))).toBe(false);
  });

  it('has the hash of every package, but for tools of other systems', () => {
    const unproven = unprovenPackages(lock);
    const excused = unproven.filter((fault) => withoutHash.test(fault));

    expect(unproven.filter((fault) => !excused.includes(fault))).toEqual([]);
    for (const fault of excused) {
      const { dev, optional } = lock.packages[fault.split(' ')[0] ?? ''];
      expect({ fault, dev, optional }).toEqual({ fault, dev: true, optional: true });
    }
  });
});

describe('scripts of packages', () => {
  it('are found by the lock, wherever the package lies', () => {
    const packages = {
      'node_modules/b': { hasInstallScript: true },
      'node_modules/a/node_modules/@s/c': { hasInstallScript: true },
      'node_modules/d': {},
    };

    expect(packagesWithScripts({ packages })).toEqual(['@s/c', 'b']);
  });

  it('are on the list of npm, each by name, and the list holds no other', () => {
    const { allowScripts } = JSON.parse(readText('package.json'));

    expect(Object.keys(allowScripts).toSorted()).toEqual(packagesWithScripts(lock).toSorted());
  });
});

describe('licences', () => {
  const groupsOf = (licences: Readonly<Record<string, string | undefined>>) =>
    licenceGroups({
      packages: Object.fromEntries(
        Object.entries(licences).map(([name, license]) => [
          `node_modules/${name}`,
          { version: '1.0.0', ...(license !== undefined && { license }) },
        ]),
      ),
    });

  it.each([
    ['MIT', true],
    ['(MIT OR GPL-3.0-or-later)', true],
    ['MIT OR Apache-2.0', true],
    ['BSD-3-Clause AND MIT', true],
    ['MIT AND GPL-2.0-only', false],
    ['LGPL-3.0-only', false],
    ['MPL-2.0', false],
    ['SEE LICENSE IN LICENSE.txt', false],
    ['UNLICENSED', false],
    [undefined, false],
  ])('are looked at: %s may go into the package: %s', (licence, isPermissive) => {
    expect(groupsOf({ a: licence })).toEqual([
      { licence: licence ?? 'unknown', packages: ['a@1.0.0'], isPermissive },
    ]);
  });

  it('are those of what runs, not of what it is developed with', () => {
    const packages = {
      '': { version: '0.1.0', license: 'MIT' },
      'node_modules/tool': { version: '1.0.0', license: 'GPL-3.0-only', dev: true },
      'node_modules/a/node_modules/@s/b': { version: '2.0.0', license: 'ISC' },
    };

    expect(licenceGroups({ packages })).toEqual([
      { licence: 'ISC', packages: ['@s/b@2.0.0'], isPermissive: true },
    ]);
  });

  it('are permissive in everything that runs here', () => {
    const groups = licenceGroups(lock);

    expect(groups.filter(({ isPermissive }) => !isPermissive)).toEqual([]);
    expect(groups.flatMap(({ packages }) => packages).length).toBeGreaterThan(50);
  });
});

describe('advisories', () => {
  const advisory = (id: string) => ({
    name: 'a',
    title: 'Holes',
    severity: 'high',
    url: `https://github.com/advisories/${id}`,
  });
  const report = {
    auditReportVersion: 2,
    vulnerabilities: {
      a: { via: [advisory('GHSA-aaaa-bbbb-cccc'), advisory('GHSA-dddd-eeee-ffff')] },
      b: { via: ['a'] },
    },
  };

  it('are told, unless they are explained', () => {
    const explained = 'Not GHSA-dddd-eeee-ffff\n| GHSA-aaaa-bbbb-cccc | a | not reached | a 2.0 |';

    expect(unexplainedAdvisories(report, explained)).toEqual([
      'a: Holes (high) https://github.com/advisories/GHSA-dddd-eeee-ffff',
    ]);
    expect(unexplainedAdvisories({ auditReportVersion: 2, vulnerabilities: {} }, '')).toEqual([]);
  });

  it.each([{}, { message: '405 Method Not Allowed', error: {} }, { auditReportVersion: 2 }])(
    'are not taken for none when there is no report: %j',
    (answer) => {
      expect(() => unexplainedAdvisories(answer, '')).toThrow('no report');
    },
  );
});
