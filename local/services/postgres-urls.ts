import { createHmac } from 'node:crypto';
import { localHostname } from './ports.ts';

/** How the database of a local PostgreSQL is reached. */
export interface PostgresUrls {
  /** As the superuser: deploys, and may look at everything. */
  readonly url: string;
  /** As the login of the app, which may do nothing before roles have been applied. */
  readonly appUrl: string;
}

/** The superuser of the local cluster. */
export const superuser = 'postgres';
/** The login of the app. */
export const appLogin = 'crownsafe';
export const databaseName = 'crownsafe';

export function postgresUrls(port: number, superuserPassword: string): PostgresUrls {
  return {
    url: postgresUrl(port, superuser, superuserPassword),
    appUrl: postgresUrl(port, appLogin, appPassword(superuserPassword)),
  };
}

export function postgresUrl(port: number, user: string, password: string, database = databaseName): string {
  return `postgresql://${user}:${password}@${localHostname}:${port}/${database}`;
}

/** Follows from the superuser's, which does not follow from it: one secret less to keep. */
export function appPassword(superuserPassword: string): string {
  return createHmac('sha256', superuserPassword).update('login of the app').digest('base64url');
}
