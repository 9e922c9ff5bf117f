/** Owns the tables. Those who deploy are members; migrations run as it, so that whoever deploys next may change what is there. */
export const schemaOwner = 'schema_owner';

/** What the app's login may act as, one at a time. */
export const actingRoles = ['app', 'backup', 'verify'] as const;

/** Every role that is made here, with what is noted down on it. By the note it is known again. */
export const roleNotes: Readonly<Record<string, string>> = {
  [schemaOwner]: 'Crown Safe: owns the tables; those who deploy are members',
  app: 'Crown Safe: reads and writes the tables',
  backup: 'Crown Safe: reads everything, for dumps',
  verify: 'Crown Safe: reads the tables, to compare them with a backup',
};

/** How the note on each role begins. */
export const notePrefix = 'Crown Safe:';
