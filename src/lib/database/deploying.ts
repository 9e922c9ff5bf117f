import type * as reviews from './access-review.ts';
import type * as migrations from './migrate.ts';
import type * as moves from './repoint.ts';
import type * as roles from './roles/apply-roles.ts';

/*
 * What only whoever deploys or audits asks for, loaded when it is asked for: 45 kB that no request waits for at a cold start. Each
 * does what the function of its name does.
 */

export const applyRoles: typeof roles.applyRoles = async (...call) =>
  (await import('./roles/apply-roles.ts')).applyRoles(...call);

export const listMigrations: typeof migrations.listMigrations = async (...call) =>
  (await import('./migrate.ts')).listMigrations(...call);

export const migrateDown: typeof migrations.migrateDown = async (...call) =>
  (await import('./migrate.ts')).migrateDown(...call);

export const migrateToLatest: typeof migrations.migrateToLatest = async (...call) =>
  (await import('./migrate.ts')).migrateToLatest(...call);

export const reviewAccess: typeof reviews.reviewAccess = async (...call) =>
  (await import('./access-review.ts')).reviewAccess(...call);

export const repoint: typeof moves.repoint = async (...call) =>
  (await import('./repoint.ts')).repoint(...call);
