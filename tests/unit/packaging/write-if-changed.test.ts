import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeIfChanged } from '../../../scripts/bundle.ts';
import { makeTemporaryFolder } from '../../support/temporary-folder.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = makeTemporaryFolder();
  path = join(folder, 'crownsafe.js');
});
afterEach(() => rm(folder, { recursive: true }));

const file = (text: string, mode = 0o755) => ({ contents: Buffer.from(text), mode });
const state = () => ({ text: readFileSync(path, 'utf8'), mode: statSync(path).mode & 0o777 });

describe('a built file', () => {
  it('is written with its permissions, and leaves nothing else behind', async () => {
    await writeIfChanged(path, file('new'));

    expect(state()).toEqual({ text: 'new', mode: 0o755 });
    expect(readdirSync(folder)).toEqual(['crownsafe.js']);
  });

  it('replaces one of other bytes', async () => {
    writeFileSync(path, 'old');

    await writeIfChanged(path, file('new', 0o644));

    expect(state()).toEqual({ text: 'new', mode: 0o644 });
  });

  it('gets its permissions back when only they were lost, and is not written again', async () => {
    writeFileSync(path, 'same');
    chmodSync(path, 0o644);
    const writtenAt = statSync(path).mtimeMs;

    await writeIfChanged(path, file('same'));

    expect(state()).toEqual({ text: 'same', mode: 0o755 });
    expect(statSync(path).mtimeMs).toBe(writtenAt);
  });
});
