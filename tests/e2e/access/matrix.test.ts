import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startLocalHost } from '../../../local/host/index.ts';
import { endpoints } from '../../../src/functions/index.ts';
import { lazy } from '../../../src/lib/core/index.ts';
import type { Endpoint } from '../../../src/lib/http/index.ts';
import { type App, startApp } from '../../support/app.ts';
import { startMisbehavingServer } from '../../support/misbehaving-server.ts';
import { makeTemporaryFolder } from '../../support/temporary-folder.ts';
import { type Caller, type Callers, type Kind, kinds, makeCallers } from './callers.ts';
import { type Fixtures, makeFixtures } from './fixtures.ts';
import { type MatrixRow, readMatrix } from './read-matrix.ts';
import { requests, type Seen } from './requests.ts';

/*
 * Every endpoint, asked by everybody, against the table in matrix.md. A stack of its own, because backups are asked for and
 * alerts sent; beside it an instance as in production, where scrapers are asked who they are.
 */

const stack = new AsyncDisposableStack();
const rows = readMatrix();
let app: App;
let productionUrl: string;
let callers: Callers;
let fixtures: Fixtures;

beforeAll(async () => {
  const slack = stack.use(await startMisbehavingServer((_, response) => response.end('ok')));
  app = await startApp(inject('appFolder'), {
    SLACK_WEBHOOK_URL: `${slack.origin}/services/T0/B0/x`,
    // In production nothing starts with a secret that can be guessed.
    SECRET_KEY: randomBytes(32).toString('base64url'),
    JWT_SECRET: randomBytes(32).toString('base64url'),
  });
  stack.defer(() => app.stop());
  const stateFolder = makeTemporaryFolder();
  stack.defer(() => rm(stateFolder, { recursive: true, force: true }));
  const { SLACK_WEBHOOK_URL: _, ...env } = app.env;
  const production = await startLocalHost({
    appFolder: inject('appFolder'),
    port: 0,
    env: {
      ...env,
      ENVIRONMENT: 'production',
      TRUSTED_PROXY_HOPS: '2',
      'AzureWebJobs.jobs.Disabled': 'true',
    },
    stateFolder,
    log: () => {},
  });
  stack.defer(() => production.stop());
  productionUrl = production.url;
  callers = await makeCallers(app);
  fixtures = stack.use(await makeFixtures(app));
  // To be a member of something opens nothing else.
  const everybody = Object.values(callers).flat();
  await fixtures.project(...everybody.flatMap(({ id }) => (id === '' ? [] : [id])));
});
afterAll(() => stack.disposeAsync());

/** What was asked and answered, for a look into the audit trail afterwards. */
const answered: { endpoint: Endpoint; status: number; text: string; correlationId: string }[] = [];

/** A second backup is refused while one is under way. */
const oneAtATime = ['backups-create'];
const endpointOf = ({ name }: MatrixRow) => endpoints.find((one) => one.name === name.split(',')[0]);

describe('the matrix', () => {
  it('has a row for every endpoint, an endpoint for every row, and a request for both', () => {
    const named = new Set(rows.map((row) => endpointOf(row)?.name));

    expect([...named].sort()).toEqual(endpoints.map(({ name }) => name).sort());
    expect(rows.map(({ name }) => name).sort()).toEqual(Object.keys(requests).sort());
  });

  it('lets an admin in everywhere', () => {
    const plainRows = rows.filter(({ name }) => !name.includes(','));

    expect(plainRows.filter(({ expected }) => !/^[23]\d\d( \+)?$/.test(expected.admin))).toEqual([]);
  });

  it.each(rows.map((row) => [row.name, row] as const))('%s answers everybody as it says', async (_, row) => {
    const seen: Partial<Record<Kind, string>> = {};
    const see = async (kind: Kind) => {
      const answers = await askAll(row, kind);
      const unlike = answers.filter((answer) => answer !== row.expected[kind]);
      seen[kind] = unlike[0] ?? row.expected[kind];
      const names = callers[kind].filter((_caller, index) => answers[index] !== row.expected[kind]);
      if (unlike.length > 0 && names.length < answers.length)
        seen[kind] = `${unlike[0]} by ${names.map(({ name }) => name).join(', ')}`;
    };
    if (oneAtATime.includes(row.name)) for (const kind of kinds) await see(kind);
    else {
      await Promise.all(kinds.filter((kind) => kind !== 'admin').map(see));
      // Sees and counts what belongs to all the others.
      await see('admin');
    }

    expect(seen).toEqual(row.expected);
  });
});

/** The many who are refused ask at once; of a kind that is let in, one is not to stand in the way of another. */
async function askAll(row: MatrixRow, kind: Kind): Promise<string[]> {
  if (kind === 'bad') {
    const things = sharing(fixtures);
    return Promise.all(callers[kind].map((caller) => ask(row, kind, caller, things)));
  }
  const answers: string[] = [];
  for (const caller of callers[kind]) answers.push(await ask(row, kind, caller, fixtures));
  return answers;
}

/** Whoever has changed something, or was given what opens more than the answer itself. */
function hasEffect({ endpoint, status, text }: (typeof answered)[number]): boolean {
  if (status >= 400 || (endpoint.method === 'GET' && endpoint.name !== 'backups-download')) return false;
  // None of the links was given out.
  return endpoint.name !== 'sas-batch' || text.includes('"url":');
}

describe('the audit trail', () => {
  it('has a row of each request that changed something, and of no other one that was let in', async () => {
    const known = await fixtures.sql(`select distinct correlation_id from audit_log where result = 'done'`);
    const recorded = new Set(known.map((row) => row['correlation_id']));

    const wrong = answered.filter((one) => hasEffect(one) !== recorded.has(one.correlationId));
    const tried = new Set(answered.filter(hasEffect).map(({ endpoint }) => endpoint.name));
    const changing = endpoints.filter(({ method, name }) => method !== 'GET' || name === 'backups-download');

    expect(wrong.map(({ endpoint, status }) => `${endpoint.name} ${status}`)).toEqual([]);
    expect([...tried].sort()).toEqual(changing.map(({ name }) => name).sort());
  });

  it('has a row of each endpoint that a known caller was refused', async () => {
    const known = await fixtures.sql(`select distinct object_id from audit_log where result = 'refused'`);

    const refused = answered.filter(({ status }) => status === 403).map(({ endpoint }) => endpoint);

    expect(known.map((row) => row['object_id']).sort()).toEqual(
      [...new Set(refused.map(({ method, route }) => `${method} /${route}`))].sort(),
    );
  });
});

/** Asks once as a caller, with a thing of their own where their kind owns one. */
async function ask(row: MatrixRow, kind: Kind, caller: Caller, things: Fixtures): Promise<string> {
  const endpoint = endpointOf(row);
  const request = requests[row.name];
  if (!endpoint || !request) throw new Error(`${row.name} cannot be asked`);
  const [owner] = callers.owner;
  const owns = !['nobody', 'bad', 'stranger', 'member', 'admin'].includes(kind);
  const baseUrl = row.name.endsWith('in production') ? productionUrl : app.baseUrl;
  const call = (path: string, init: RequestInit = {}) => send(endpoint, `${baseUrl}${path}`, init, caller);
  return request({ caller, ownerId: owns ? caller.id : (owner?.id ?? ''), callers, fixtures: things, call });
}

/** The many who are refused may be refused the same thing. */
function sharing(made: Fixtures): Fixtures {
  const project = lazy(() => made.project(...callers.member.map(({ id }) => id)));
  let file: Promise<string> | undefined;
  return { ...made, project, file: (wish) => (file ??= made.file(wish)) };
}

async function send(endpoint: Endpoint, url: string, init: RequestInit, caller: Caller): Promise<Seen> {
  const { method = 'GET' } = init;
  const template = new RegExp(`^/${endpoint.route.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
  if (endpoint.method !== method || !template.test(new URL(url).pathname))
    throw new Error(`${method} ${url} is not ${endpoint.name}`);
  const fetchAs = async (as: string) => {
    const headers = {
      // So many bad credentials from one address would be held back.
      'x-forwarded-for': `10.${[...randomBytes(3)].join('.')}`,
      ...Object.fromEntries(new Headers(init.headers)),
      ...caller.headers,
    };
    const signal = AbortSignal.timeout(20_000);
    const response = await fetch(url, { redirect: 'manual', ...init, method: as, headers, signal });
    const [status, text] = [response.status, await response.text()];
    const correlationId = response.headers.get('x-correlation-id') ?? '';
    answered.push({ endpoint, status, text, correlationId });
    return { status, text };
  };
  const seen = await fetchAs(method);
  const head = method === 'GET' ? await fetchAs('HEAD') : undefined;
  if (head && (head.status !== seen.status || head.text !== ''))
    throw new Error(`${endpoint.name} answers GET ${seen.status}, and HEAD ${head.status} ${head.text}`);
  return seen;
}
