import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backupName, backupTime } from '../../../src/lib/backup/names.ts';

describe('the name of a backup', () => {
  it('tells the second in UTC', () => {
    expect(backupName(Date.UTC(2026, 1, 3, 4, 5, 6, 789))).toBe(
      'crownsafe_backup_full_20260203_040506.sql.gz',
    );
  });

  it('can be read back to its second', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
        const epochMs = date.getTime();

        expect(backupTime(backupName(epochMs))).toBe(epochMs - (epochMs % 1000));
      }),
    );
  });

  it.each([
    '',
    'crownsafe_backup_full_20260231_000000.sql.gz',
    'crownsafe_backup_full_20260203_250000.sql.gz',
    'crownsafe_backup_full_20260203_040506.sql.gz.manifest.json',
    '../crownsafe_backup_full_20260203_040506.sql.gz',
    'crownsafe_backup_full_20260203_040506.sql.gz\n',
  ])('is not %j', (text) => {
    expect(backupTime(text)).toBeUndefined();
  });
});
