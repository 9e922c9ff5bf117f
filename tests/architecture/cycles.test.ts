import { describe, expect, it } from 'vitest';
import { importCycles } from './checks/cycles.ts';
import { readSources } from './reading/project-files.ts';
import { parseSource } from './reading/source-file.ts';

const cyclesOf = (sources: Record<string, string>) =>
  importCycles(Object.entries(sources).map(([path, text]) => parseSource(path, text)));

describe('the graph of imports', () => {
  it('is refused with a circle of three files, of which one imports lazily and one a type', () => {
    const cycles = cyclesOf({
      'src/a.ts': "import { b } from './b.ts'",
      'src/b.ts': "await import('./c.ts')",
      'src/c.ts': "import type { A } from './a.ts'",
      'src/d.ts': "import { a } from './a.ts'",
    });

    expect(cycles).toEqual(['src/a.ts → src/b.ts → src/c.ts → src/a.ts']);
  });

  it('is refused with a file that imports itself', () => {
    expect(cyclesOf({ 'src/a.ts': "export type B = import('./a.ts').A" })).toEqual(['src/a.ts → src/a.ts']);
  });

  it('may reach one file by two ways', () => {
    const cycles = cyclesOf({
      'src/a.ts': "import './b.ts'; import './c.ts'",
      'src/b.ts': "import './d.ts'",
      'src/c.ts': "import './d.ts'",
      'src/d.ts': '',
    });

    expect(cycles).toEqual([]);
  });

  it('has no circle in src and local', () => {
    const files = readSources('src', 'local');

    expect(importCycles(files)).toEqual([]);
    expect(files.length).toBeGreaterThan(60);
  });
});
