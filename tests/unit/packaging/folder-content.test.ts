import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readFolder } from '../../../scripts/packaging/folder-content.ts';
import { makeTemporaryFolder } from '../../support/temporary-folder.ts';

describe('the digest of a folder', () => {
  let folder: string;
  const digest = async () => (await readFolder(folder)).sha256;

  beforeEach(() => {
    folder = makeTemporaryFolder();
    mkdirSync(join(folder, 'b'));
    for (const [path, text] of [
      ['b/c.js', 'c'],
      ['B.js', 'B'],
      ['a.js', 'a'],
    ] as const) {
      writeFileSync(join(folder, path), text);
      chmodSync(join(folder, path), 0o644);
    }
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('comes with the files in the same order everywhere, and their sizes', async () => {
    expect(await readFolder(folder)).toEqual({
      files: [
        { path: 'B.js', sizeBytes: 1 },
        { path: 'a.js', sizeBytes: 1 },
        { path: 'b/c.js', sizeBytes: 1 },
      ],
      sizeBytes: 3,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it.each<[string, (at: (path: string) => string) => void]>([
    ['a byte', (at) => writeFileSync(at('a.js'), 'A')],
    ['a permission', (at) => chmodSync(at('a.js'), 0o755)],
    ['a name', (at) => renameSync(at('a.js'), at('A.js'))],
    ['a folder', (at) => renameSync(at('b'), at('c'))],
    [
      'the border between two files',
      (at) => {
        writeFileSync(at('B.js'), '');
        writeFileSync(at('a.js'), 'Ba');
      },
    ],
    ['an empty file', (at) => writeFileSync(at('z.js'), '')],
  ])('changes with %s', async (_what, change) => {
    const before = await digest();

    change((path) => join(folder, path));

    expect(await digest()).not.toBe(before);
  });

  it('does not change with times', async () => {
    const before = await digest();

    utimesSync(join(folder, 'a.js'), 1, 1);

    expect(await digest()).toBe(before);
  });

  it('refuses a link', async () => {
    symlinkSync('a.js', join(folder, 'd.js'));

    await expect(digest()).rejects.toThrow('d.js of the package is no file.');
  });
});
