import { toTimestamp } from '../core/index.ts';

const pattern = /^crownsafe_backup_full_(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)\.sql\.gz$/;

/** `crownsafe_backup_full_YYYYMMDD_HHMMSS.sql.gz` in UTC: the name of the blob and of the backup. */
export function backupName(epochMs: number): string {
  const [date = '', time = ''] = toTimestamp(epochMs).slice(0, 19).replaceAll(/[-:]/g, '').split('T');
  return `crownsafe_backup_full_${date}_${time}.sql.gz`;
}

/** The whole second a backup's name stands for, in milliseconds since the epoch; `undefined` for any other text. */
export function backupTime(name: string): number | undefined {
  const [, year, month, day, hour, minute, second] = pattern.exec(name) ?? [];
  if (year === undefined) return undefined;
  const epochMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // Also refuses what only looks like a time, such as the 31st of February.
  return Number.isNaN(epochMs) || backupName(epochMs) !== name ? undefined : epochMs;
}
