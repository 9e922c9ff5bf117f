export { createBackups } from './backups.ts';
export { backupListQuery, backupNameParams, backupPageShape, backupRequest, backupShape } from './shapes.ts';
export { restoreDump } from './text/restore-dump.ts';
