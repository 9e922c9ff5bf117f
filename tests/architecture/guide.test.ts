import { describe, expect, it } from 'vitest';
import { describeSettings } from '../../src/lib/config/index.ts';
import { readText } from './reading/project-files.ts';

describe('docs/migrate-from-aws.md', () => {
  it('leads from settings on AWS to settings that exist, or says that they are gone', () => {
    const known = describeSettings().map(({ name }) => name);
    const section = readText('docs/migrate-from-aws.md').split('\n## Settings\n')[1]?.split('\n## ')[0] ?? '';
    const rows = section.split('\n').filter((line) => line.startsWith('| `'));

    for (const row of rows) {
      const [, , here = ''] = row.split('|');
      const named = [...here.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
      if (here.trim() !== 'gone') expect(known, row).toEqual(expect.arrayContaining(named));
      expect(named.length > 0 || here.trim() === 'gone', row).toBe(true);
    }
    expect(rows.length).toBeGreaterThan(10);
  });
});
