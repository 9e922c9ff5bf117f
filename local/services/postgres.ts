import { join } from 'node:path';
import pg from 'pg';
import { errorCode, LocalError } from '../local-error.ts';
import { localSecrets } from '../secrets.ts';
import { localHostname, requireFreePort } from './ports.ts';
import { prepareCluster } from './postgres-cluster.ts';
import { clearLeftover } from './postgres-leftover.ts';
import { preparePostgresPlace } from './postgres-place.ts';
import {
  appLogin,
  appPassword,
  databaseName,
  type PostgresUrls,
  postgresUrl,
  postgresUrls,
  superuser,
} from './postgres-urls.ts';
import { defineService, type Service, type ServiceOptions } from './service.ts';

/** PostgreSQL, running, with the database `crownsafe`, which may be empty. */
export interface Postgres extends Service, PostgresUrls {
  /** The folder that holds the data; see `preparePostgresPlace` for when it is not below the folder asked for. */
  readonly folder: string;
}

/** SQLSTATE. */
const invalidPassword = '28P01';

/** Safe against crashes of PostgreSQL but not of the machine, hence for tests only. */
const withoutSync = ['fsync', 'synchronous_commit', 'full_page_writes'].flatMap((name) => [
  '-c',
  `${name}=off`,
]);

/**
 * Starts PostgreSQL with its data under `<folder>/postgres`, waits until it answers, and makes the database and
 * the app's login when they are missing.
 *
 * @throws LocalError when the port is taken, the data is another version's, or PostgreSQL does not start
 */
export async function startPostgres(options: ServiceOptions & { readonly port: number }): Promise<Postgres> {
  const { port, onUnexpectedExit, temporary = false } = options;
  const place = preparePostgresPlace(options.folder);
  const { databasePassword } = localSecrets(options.folder);
  const data = await prepareCluster(place, databasePassword);
  await clearLeftover(data);
  await requireFreePort(port, 'PostgreSQL', 'LOCAL_POSTGRES_PORT');
  const maintenanceUrl = postgresUrl(port, superuser, databasePassword, 'postgres');
  const service = defineService({
    name: 'PostgreSQL',
    program: {
      command: join(place.installation, 'bin', 'postgres'),
      args: [...serverArguments(data, port), ...(temporary ? withoutSync : [])],
      account: place.account,
      temporaryFolder: temporary ? options.folder : undefined,
    },
    logFile: join(options.folder, 'postgres.log'),
    isReady: () => answers(maintenanceUrl, place.folder),
    onUnexpectedExit,
  });
  await service.start();
  await prepareServer(maintenanceUrl, appPassword(databasePassword));
  return { ...service, ...postgresUrls(port, databasePassword), folder: place.folder };
}

/** TCP on the loopback address only; a socket file would need a folder that is short and writable. */
function serverArguments(data: string, port: number): string[] {
  return [
    '-D',
    data,
    '-p',
    String(port),
    '-c',
    `listen_addresses=${localHostname}`,
    '-c',
    'unix_socket_directories=',
  ];
}

async function answers(url: string, folder: string): Promise<boolean> {
  const client = new pg.Client(url);
  // A connection that breaks while PostgreSQL starts shows in the rejected promise as well.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch (error) {
    if (errorCode(error) !== invalidPassword) return false;
    throw new LocalError(
      `The database in ${folder} has another password than the one in secrets.json. Put that file back, or empty the database with: npm run reset`,
    );
  } finally {
    await client.end();
  }
}

/** Makes what the roles and the migrations stand on. */
async function prepareServer(maintenanceUrl: string, password: string): Promise<void> {
  const client = new pg.Client(maintenanceUrl);
  await client.connect();
  try {
    const database = await client.query('select from pg_database where datname = $1', [databaseName]);
    if (database.rowCount === 0) await client.query(`create database ${databaseName}`);
    const login = await client.query('select from pg_roles where rolname = $1', [appLogin]);
    const verb = login.rowCount === 0 ? 'create' : 'alter';
    await client.query(`${verb} role ${appLogin} login password ${client.escapeLiteral(password)}`);
  } finally {
    await client.end();
  }
}
