import { join, relative } from 'node:path';
import { parseDatabaseUrl } from '../src/lib/database/index.ts';
import { defaultSettings } from './app-environment.ts';
import type { OwnServices } from './own-services.ts';
import type { LocalSettings } from './settings.ts';

interface ScreenFacts {
  readonly settings: LocalSettings;
  readonly services: OwnServices;
  /** What serves the app. */
  readonly servedBy: string;
  readonly adminKey: string;
  readonly startSeconds: number;
}

/** What somebody wants to know once everything runs: where it is, how to get in, what to try first, how to end it. */
export function readyScreen({ settings, services, servedBy, adminKey, startSeconds }: ScreenFacts): string {
  const { root, folder, port } = settings;
  const url = `http://localhost:${port}`;
  const facts = [
    ['App', `${url}  (${servedBy})`],
    ...serviceFacts(settings, services),
    dataFact(settings),
    ['Admin key', adminKey],
  ];
  const key = `-H "x-api-key: $(cat ${quote(join(folder, 'admin-key'))})"`;
  return [
    '',
    `Crown Safe Functions is ready, after ${startSeconds.toFixed(1)} s.`,
    '',
    ...table(facts),
    '',
    'Try, in another terminal:',
    '',
    `  curl ${url}/api/v1/health/ready`,
    `  curl ${key} -F file=@${quote(join(root, 'local', 'sample.png'))} ${url}/api/v1/uploads`,
    `  curl ${key} '${url}/api/v1/reports/upload-activity?format=csv'`,
    '',
    'Ctrl-C stops everything; the data stays.',
    '',
  ].join('\n');
}

/** What `npm run services` shows: the settings that somebody's own `func start` needs. */
export function servicesScreen(settings: LocalSettings, services: OwnServices, adminKey: string): string {
  return [
    '',
    'The services are ready, and the database is up to date.',
    '',
    ...table([...serviceFacts(settings, services), dataFact(settings), ['Admin key', adminKey]]),
    '',
    'Put these into local.settings.json, then run, in another terminal: npm run build && func start',
    '',
    JSON.stringify({ IsEncrypted: false, Values: defaultSettings(settings, services) }, null, 2),
    '',
    'Ctrl-C stops everything; the data stays.',
    '',
  ].join('\n');
}

function dataFact({ root, folder }: LocalSettings): string[] {
  return ['Data', `${relative(root, folder)}  (npm run reset empties it)`];
}

/** One row for storage and one for the database. */
function serviceFacts(
  { azuritePorts, folder, own }: LocalSettings,
  { azurite, postgres }: OwnServices,
): string[][] {
  const { blob, queue, table } = azuritePorts;
  // Root's checkout may be where the account that PostgreSQL runs under cannot go.
  const isElsewhere = postgres !== undefined && !postgres.folder.startsWith(folder);
  const elsewhere = isElsewhere
    ? `\nIts data is in ${postgres.folder}: the user nobody cannot reach ${folder}.`
    : '';
  return [
    [
      'Storage',
      azurite ? `Azurite on 127.0.0.1, ports ${blob}, ${queue}, ${table}` : 'yours (AzureWebJobsStorage)',
    ],
    ['Database', postgres ? `${postgres.url}${elsewhere}` : `yours: ${placeOf(own['DATABASE_URL'] ?? '')}`],
  ];
}

/** Where a database is, without how to get in. */
function placeOf(url: string): string {
  const { host, port, database } = parseDatabaseUrl(url);
  return `${database} on ${host}:${port} (DATABASE_URL)`;
}

/** Aligns names and values; further lines of a value stand below its first. */
function table(rows: readonly string[][]): string[] {
  const width = Math.max(...rows.map(([name = '']) => name.length)) + 2;
  return rows.flatMap(([name = '', value = '']) =>
    value.split('\n').map((line, index) => `  ${(index === 0 ? name : '').padEnd(width)}${line}`),
  );
}

/** For a POSIX shell, where it needs it. */
function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
