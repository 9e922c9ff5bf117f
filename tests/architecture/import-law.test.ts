import { describe, expect, it } from 'vitest';
import { breachesOfImportLaw, levels, packagePlaces } from './checks/import-law.ts';
import { readSources, readText } from './reading/project-files.ts';
import { parseSource } from './reading/source-file.ts';

const breachesOf = (path: string, text: string) => breachesOfImportLaw([parseSource(path, text)]);

describe('the import law', () => {
  it.each([
    ['upward', 'src/lib/core/a.ts', "import { a } from '../config/index.ts'", 'above core'],
    ['upward by type', 'src/lib/http/a.ts', "import type { A } from '../files/index.ts'", 'above http'],
    ['upward in a type', 'src/lib/http/a.ts', "type A = import('../files/index.ts').A", 'above http'],
    ['upward when needed', 'src/lib/http/a.ts', "await import('../files/index.ts')", 'above http'],
    ['upward by re-export', 'src/lib/core/a.ts', "export { a } from '../config/index.ts'", 'above core'],
    [
      'sideways in level 1',
      'src/lib/config/a.ts',
      "import { a } from '../security/index.ts'",
      'beside config',
    ],
    ['sideways in level 2', 'src/lib/http/a.ts', "import { a } from '../cache/index.ts'", 'beside http'],
    ['sideways in level 3', 'src/lib/files/a.ts', "import { a } from '../sharing/index.ts'", 'beside files'],
    ['into a room', 'src/lib/files/a.ts', "import { a } from '../core/clock.ts'", 'index.ts of its room'],
    [
      'a deep file of a room',
      'src/runtime.ts',
      "import { a } from './lib/backup/engine/index.ts'",
      'index.ts',
    ],
    [
      'functions from a room',
      'src/lib/jobs/a.ts',
      "import { a } from '../../functions/index.ts'",
      'above jobs',
    ],
    ['runtime from a room', 'src/lib/jobs/a.ts', "import { a } from '../../runtime.ts'", 'above jobs'],
    ['a place without level', 'src/lib/misc/a.ts', "import { a } from '../core/index.ts'", 'has no level'],
    ['local from src', 'src/index.ts', "import { a } from '../local/start.ts'", 'src stands on its own'],
    ['tests from src', 'src/cli/a.ts', "import { a } from '../../tests/a.ts'", 'src stands on its own'],
    ['an SDK in two rooms', 'src/lib/files/a.ts', "import '@azure/storage-blob'", 'belongs to storage'],
    ['an SDK by a deep path', 'src/lib/files/a.ts', "import 'pg/lib/client.js'", 'belongs to database'],
    ['an SDK by require', 'src/lib/files/a.ts', "require('pg')", 'belongs to database'],
    ['an SDK by its place', 'src/lib/files/a.ts', "import.meta.resolve('pg')", 'belongs to database'],
    ['an unknown package', 'src/lib/files/a.ts', "import 'left-pad'", 'left-pad, which has no place'],
    ['a built-in without node:', 'src/lib/files/a.ts', "import 'fs'", 'fs, which has no place'],
    ['values where types may', 'src/lib/http/a.ts', "import { app } from '@azure/functions'", 'at run time'],
    ['a computed name', 'src/lib/http/a.ts', 'await import(name)', 'computed name'],
    [
      'into a room from local',
      'local/a.ts',
      "import { a } from '../src/lib/core/clock.ts'",
      'index.ts of its room',
    ],
  ])('refuses to import %s', (_, path, text, reason) => {
    const breaches = breachesOf(path, text);

    expect(breaches).toEqual([expect.stringContaining(reason)]);
    expect(breaches[0]).toMatch(new RegExp(`^${path}:1 `));
  });

  it.each([
    ['downward', 'src/lib/files/a.ts', "import { a } from '../core/index.ts'"],
    ['within its room', 'src/lib/backup/engine/a.ts', "import { a } from '../catalog.ts'"],
    ['types of the platform', 'src/lib/http/a.ts', "import type { HttpRequest } from '@azure/functions'"],
    ['one type of the platform', 'src/lib/http/a.ts', "import { type HttpRequest } from '@azure/functions'"],
    ['rooms that meet in the runtime', 'src/runtime.ts', "import { a } from './lib/files/index.ts'"],
    ['the version of the package', 'src/runtime.ts', "import data from '../package.json'"],
    ['built-ins', 'src/lib/core/a.ts', "import { randomUUID } from 'node:crypto'"],
    ['what a comment names', 'src/lib/core/a.ts', "// import { a } from '../config/index.ts'"],
    ['what a text names', 'src/lib/core/a.ts', 'const a = `import "pg"`'],
    ['by the face of a room from local', 'local/a.ts', "import { a } from '../src/lib/core/index.ts'"],
  ])('lets import %s', (_, path, text) => {
    expect(breachesOf(path, text)).toEqual([]);
  });

  it('holds in src, and for local, scripts and bench', () => {
    const files = readSources('src', 'local', 'scripts', 'bench');

    const breaches = breachesOfImportLaw(files);

    expect(breaches).toEqual([]);
    expect(files.length).toBeGreaterThan(60);
    const places = new Set(files.map(({ path }) => path.split('/').slice(0, 3).join('/')));
    for (const room of levels.slice(0, 2).flat()) expect(places).toContain(`src/lib/${room}`);
  });

  it('gives each dependency of the package its places, and no other', () => {
    const { dependencies } = JSON.parse(readText('package.json')) as { dependencies: Record<string, string> };

    expect(Object.keys(packagePlaces).sort()).toEqual(Object.keys(dependencies).sort());
  });
});
