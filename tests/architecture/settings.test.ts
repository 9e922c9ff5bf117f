import { describe, expect, it } from 'vitest';
import { exampleLocalSettings, settingsDocument } from '../../scripts/settings-documents.ts';
import { describeSettings, loadConfig } from '../../src/lib/config/index.ts';
import { readText } from './reading/project-files.ts';

type Setting = ReturnType<typeof describeSettings>[number];

const setting = (changes: Partial<Setting>): Setting => ({
  name: 'COLOR',
  group: 'service',
  description: 'Color of the door.',
  required: false,
  defaultText: undefined,
  allowed: undefined,
  ...changes,
});

const rowsOf = (document: string) => document.split('\n').filter((line) => line.startsWith('| `'));

describe('docs/settings.md', () => {
  it.each<[string, Partial<Setting>, string]>([
    ['required', { required: true }, '| `COLOR` | **required** |  | Color of the door. |'],
    ['optional', {}, '| `COLOR` | not set |  | Color of the door. |'],
    ['with a default', { defaultText: 'red' }, '| `COLOR` | `red` |  | Color of the door. |'],
    ['empty by default', { defaultText: '' }, '| `COLOR` | empty |  | Color of the door. |'],
    ['secret', { secret: true }, '| `COLOR` | not set | yes | Color of the door. |'],
    [
      'of few values',
      { allowed: ['red', 'blue'] },
      '| `COLOR` | not set |  | Color of the door. One of `red`, `blue`. |',
    ],
    ['described with a bar', { description: 'Red | blue.' }, '| `COLOR` | not set |  | Red \\| blue. |'],
  ])('shows a setting that is %s', (_, changes, row) => {
    expect(rowsOf(settingsDocument([setting(changes)]))).toEqual([row]);
  });

  it('shows every setting once', () => {
    const names = rowsOf(readText('docs/settings.md')).map((row) => row.split('`')[1]);

    expect(names.toSorted()).toEqual(
      describeSettings()
        .map(({ name }) => name)
        .toSorted(),
    );
    expect(names.length).toBeGreaterThan(10);
  });

  it('is what `npm run settings` writes', () => {
    const written = settingsDocument(describeSettings());

    expect(readText('docs/settings.md'), 'a setting has changed: run `npm run settings`').toBe(written);
  });
});

describe('local.settings.example.json', () => {
  it('holds what a local machine needs, and names the language to the host', () => {
    const text = exampleLocalSettings([setting({ local: 'red' }), setting({ name: 'SIZE' })]);

    expect(JSON.parse(text)).toEqual({
      IsEncrypted: false,
      Values: { FUNCTIONS_WORKER_RUNTIME: 'node', COLOR: 'red' },
    });
  });

  it('is what `npm run settings` writes', () => {
    const written = exampleLocalSettings(describeSettings());

    expect(readText('local.settings.example.json'), 'a setting has changed: run `npm run settings`').toBe(
      written,
    );
  });

  it('is a usable configuration', () => {
    const { Values } = JSON.parse(readText('local.settings.example.json'));

    expect(loadConfig(Values)).toMatchObject({ ENVIRONMENT: 'development', isProduction: false });
  });
});
