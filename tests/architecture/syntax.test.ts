import { describe, expect, it } from 'vitest';
import { refusedForms } from './checks/syntax.ts';
import { readSources } from './reading/project-files.ts';
import { parseSource } from './reading/source-file.ts';

const formsIn = (text: string) => refusedForms([parseSource('src/a.ts', text)]);

describe('the language', () => {
  it.each([
    ['export default function work() {}', 'a default'],
    ["export * from './b.ts'", '`*`'],
    ["export * as all from './b.ts'", '`*`'],
    ['export enum Color { red }', 'an enum'],
    ['const enum Color { red }', 'an enum'],
    ['namespace Colors { export const red = 1 }', 'a namespace'],
    ['let value: any', '`any`'],
    ['const first = list[0]!', '`!`'],
  ])('goes without %s', (text, what) => {
    expect(formsIn(text)).toEqual([expect.stringMatching(/^src\/a\.ts:1 /)]);
    expect(formsIn(text)[0]).toContain(what);
  });

  it.each([
    'export const work = () => {}',
    "export { b } from './b.ts'",
    "declare module 'vitest' { interface ProvidedContext { databaseUrl: string } }",
    "const text = 'export default enum any'",
  ])('includes %s', (text) => {
    expect(formsIn(text)).toEqual([]);
  });

  it('is the same in all of src', () => {
    const files = readSources('src');

    expect(refusedForms(files)).toEqual([]);
    expect(files.length).toBeGreaterThan(50);
  });
});
