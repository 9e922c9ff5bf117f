import { describe, expect, it } from 'vitest';
import { privateMentions, privatePackages } from './checks/private-mentions.ts';
import { listFiles, readText } from './reading/project-files.ts';

const mentionsIn = (line: string) => privateMentions([{ path: 'a.md', text: `first line\n${line}\n` }]);
/** Put together here, because this file is read by the check as well. */
const path = (...segments: string[]) => ['', ...segments].join('/');

describe('a committed text', () => {
  it.each([
    `see ${['..', 'shared', 'design.md'].join('/')}`,
    `cd ${path('work', 'main')}`,
    `open file://${path('Users', 'somebody', 'code')}`,
    `'${path('tmp', 'dump.sql')}'`,
    `${path('home', 'somebody')}`,
    `http://${['artifactory', 'example', 'com'].join('.')}/npm`,
    `https://${['registry', 'example', 'com'].join('.')}/pg`,
  ])('is refused with %s', (line) => {
    expect(mentionsIn(line)).toEqual([expect.stringMatching(/^a\.md:2 names /)]);
  });

  it.each([
    `${['..', 'shared-links.md'].join('/')}`,
    'https://example.com/work/main',
    `\${folder}${path('tmp', 'x')}`,
    path('home', 'site', 'wwwroot'),
    'https://registry.npmjs.org/pg',
    'node_modules/tmp/x',
  ])('may say %s', (line) => {
    expect(mentionsIn(line)).toEqual([]);
  });

  it('names nothing private anywhere in the repository', () => {
    const files = listFiles().map((name) => ({ path: name, text: readText(name) }));

    expect(privateMentions(files)).toEqual([]);
    expect(files.length).toBeGreaterThan(100);
  });
});

describe('the lock of packages', () => {
  it('is refused with a package from elsewhere than the public registry', () => {
    const lock = JSON.stringify({
      packages: {
        'node_modules/a': { resolved: 'https://registry.npmjs.org/a/-/a-1.0.0.tgz' },
        'node_modules/b': { resolved: 'https://packages.example.com/b/-/b-1.0.0.tgz' },
        'node_modules/c': {},
      },
    });

    expect(privatePackages(lock)).toEqual([expect.stringContaining('node_modules/b ')]);
  });

  it('knows the public registry only, and so do the settings of npm', () => {
    expect(privatePackages(readText('package-lock.json'))).toEqual([]);
    expect(readText('.npmrc')).not.toMatch(/registry/);
  });
});
