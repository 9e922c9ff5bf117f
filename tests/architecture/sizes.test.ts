import { describe, expect, it } from 'vitest';
import { codeLineCount, filesLongerThan, functionSizes, lineCount, percentile } from './checks/sizes.ts';
import { readSources, readTypeScript } from './reading/project-files.ts';
import { parseSource } from './reading/source-file.ts';

const linesIn = (folder: string) => readTypeScript(folder).map(({ text }) => lineCount(text));

describe('the size of files', () => {
  it('is measured in lines, and the files above the limit are named', () => {
    const files = [400, 401].map((lines) => ({ path: `${lines}.ts`, text: 'a;\n'.repeat(lines) }));

    expect(filesLongerThan(400, files)).toEqual([expect.stringContaining('401.ts: 401 lines')]);
  });

  it('is at most 400 lines everywhere', () => {
    const files = readTypeScript('src', 'local', 'scripts', 'bench', 'tests');

    expect(filesLongerThan(400, files)).toEqual([]);
    expect(files.length).toBeGreaterThan(80);
  });

  it('is at most 90 lines for half of the files of src', () => {
    const lines = linesIn('src');

    expect(percentile(0.5, lines)).toBeLessThanOrEqual(90);
    expect(lines.length).toBeGreaterThan(50);
  });

  it('counts code apart from blanks and comments', () => {
    expect(codeLineCount('/**\n * why\n */\nconst a = 1; // one\n\n  // two\n  a * 2;\n')).toBe(2);
  });

  it('is at most 600 lines of code for the local host as a whole', () => {
    const lines = readTypeScript('local/host').map(({ text }) => codeLineCount(text));

    expect(lines.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(600);
    expect(lines.length).toBeGreaterThan(4);
  });
});

describe('the size of functions', () => {
  it('is measured for declarations, methods and functions with a name, not for callbacks', () => {
    const text = [
      'function declared() {',
      '  list.map((entry) => {',
      '    return entry;',
      '  });',
      '}',
      'const assigned = () => {',
      '};',
      'const holder = { method() {',
      '}, property: () => 1 };',
      'class Thing {',
      '  static known() {}',
      '  get value() {',
      '    return 1;',
      '  }',
      '}',
    ].join('\n');

    const sizes = functionSizes([parseSource('a.ts', text)]);

    expect(sizes).toEqual([
      { place: 'a.ts:1 declared', lines: 5 },
      { place: 'a.ts:6 assigned', lines: 2 },
      { place: 'a.ts:8 method', lines: 2 },
      { place: 'a.ts:9 property', lines: 1 },
      { place: 'a.ts:11 known', lines: 1 },
      { place: 'a.ts:12 value', lines: 3 },
    ]);
  });

  it('finds the percentile by nearest rank', () => {
    const numbers = Array.from({ length: 10 }, (_, index) => 10 - index);

    expect([percentile(0.5, numbers), percentile(0.9, numbers), percentile(1, numbers)]).toEqual([5, 9, 10]);
  });

  it('is at most 40 lines for nine in ten functions of src', () => {
    const sizes = functionSizes(readSources('src')).sort((a, b) => b.lines - a.lines);

    const longest = sizes.slice(0, 5).map(({ place, lines }) => `${place}: ${lines} lines`);
    expect(
      percentile(
        0.9,
        sizes.map(({ lines }) => lines),
      ),
      longest.join('\n'),
    ).toBeLessThanOrEqual(40);
    expect(sizes.length).toBeGreaterThan(150);
  });
});
