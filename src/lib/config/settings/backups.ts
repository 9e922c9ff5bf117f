import * as z from 'zod';
import { notes } from './notes.ts';
import { flag, serviceUri, storageConnectionString } from './shapes.ts';

/** Backups. */
export const backupsSettings = {
  ENABLE_AUTOMATED_BACKUPS: flag.default(true).register(notes, {
    group: 'backups',
    description: 'Whether the nightly timer takes a backup.',
  }),
  BACKUP_STORAGE_BLOB_URI: serviceUri.optional().register(notes, {
    group: 'backups',
    description: 'Blob endpoint of the account that keeps the backups, by identity.',
  }),
  BACKUP_STORAGE_CONNECTION_STRING: storageConnectionString.optional().register(notes, {
    group: 'backups',
    description:
      'The account that keeps the backups, by connection string. Without either, backups lie beside the files.',
    secret: true,
  }),
  BACKUP_DATABASE_ROLE: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'must be the name of a role')
    .optional()
    .register(notes, {
      group: 'backups',
      description:
        'Role that a dump takes on, for a login that may not read everything itself; `crownsafe roles apply` makes one called `backup`.',
    }),
};
