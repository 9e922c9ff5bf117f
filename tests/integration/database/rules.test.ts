import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { systemClock } from '../../../src/lib/core/index.ts';
import {
  createDatabase,
  type Database,
  migrateToLatest,
  parseDatabaseUrl,
  sql,
} from '../../../src/lib/database/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { createDatabase as createTestDatabase, dropDatabase } from '../../support/databases.ts';

let url: string;
let database: Database;

beforeAll(async () => {
  url = await createTestDatabase(inject('databaseUrl'));
  await migrateToLatest(parseDatabaseUrl(url));
  database = createDatabase({
    app: { address: parseDatabaseUrl(url), maxConnections: 2 },
    direct: { address: parseDatabaseUrl(url), maxConnections: 1 },
    resilience: createResilience({ clock: systemClock }),
  });
});
afterAll(async () => {
  await database.close();
  await dropDatabase(url);
});

const { signal } = new AbortController();
const id = '00000000-0000-4000-8000-000000000001';

/** A row of each table that keeps every rule, as columns and values in SQL. */
const good = {
  api_keys: { id: `'k'`, name: `'n'`, hash: `''`, scopes: `'{}'`, expires_at: `now() + interval '1 day'` },
  credential_failures: {
    ...{ subject: `sha256('')`, failed_at: `array_fill(now(), array[19])` },
    ...{ blocked_until: 'now()', expires_at: 'now()' },
  },
  files: {
    ...{ id: `'${id}'`, name: `'n'`, content_type: `'image/png'`, size: '0', sha256: `repeat('0', 64)` },
    ...{ status: `'deleted'`, owner_id: `'o'`, container: `'c'`, blob_name: `'b'`, created_at: 'now()' },
    ...{ deleted_at: 'now()', trashed_at: 'now()' },
  },
  idempotency_keys: {
    ...{ caller: `'c'`, route: `'r'`, key: `repeat('~', 255)`, fingerprint: `sha256('')` },
    ...{ claim: `'${id}'`, claimed_until: 'now()', expires_at: `now() + interval '1 day'` },
    ...{ answer_status: '201', answer_headers: `'{}'`, answer_body: `to_json(repeat('b', 65534))` },
  },
  jobs: {
    id: `'${id}'`,
    kind: `'k'`,
    subject: `'s'`,
    status: `'running'`,
    attempts: '0',
    max_attempts: '0',
    claimed_until: 'now()',
    error_message: `repeat('ü', 500)`,
    error_detail: `repeat('ü', 2000)`,
  },
  scan_history: { owner_id: `'o'`, recalls_found: '0', confidence_score: '0' },
  content_snapshot: { owner_id: `'o'`, size: '0' },
  image_jobs: {
    id: `'i'`,
    owner_id: `'o'`,
    file_size: '0',
    attempts: '0',
    confidence_score: '0',
    status: `'TIMEOUT'`,
  },
} as const;

/** Adds a row and takes it back. */
function add(table: keyof typeof good, changes: Readonly<Record<string, string>> = {}): Promise<void> {
  const row = { ...good[table], ...changes };
  const undo = new Error('taken back');
  const adding = database.transaction('add', signal, async (trx) => {
    await sql`insert into ${sql.table(table)} (${sql.raw(Object.keys(row).join(', '))})
      values (${sql.raw(Object.values(row).join(', '))})`.execute(trx);
    throw undo;
  });
  return adding.catch((error) => {
    if (error !== undo) throw error;
  });
}

it.each(Object.keys(good) as (keyof typeof good)[])(
  'a row of %s may be at the edge of its rules',
  async (table) => {
    await expect(add(table)).resolves.toBeUndefined();
  },
);

it.each<[keyof typeof good, string, Record<string, string>]>([
  ['api_keys', 'has expired when it is made', { expires_at: `now() - interval '1 second'` }],
  ['files', 'has a negative size', { size: '-1' }],
  ['files', 'has an unknown status', { status: `'lost'` }],
  ['files', 'is in the trash but not deleted', { deleted_at: 'null' }],
  ['credential_failures', 'is no hash', { subject: `'\\x00'` }],
  ['credential_failures', 'has twenty failures and no block', { failed_at: `array_fill(now(), array[20])` }],
  ['credential_failures', 'is over before its block', { expires_at: `now() - interval '1 second'` }],
  ['idempotency_keys', 'is empty', { key: `''` }],
  ['idempotency_keys', 'is too long', { key: `repeat('k', 256)` }],
  ['idempotency_keys', 'has a space', { key: `'a b'` }],
  ['idempotency_keys', 'has another hash', { fingerprint: `'\\x00'` }],
  ['idempotency_keys', 'is over while it is claimed', { expires_at: 'now()' }],
  ['idempotency_keys', 'has headers but no status', { answer_status: 'null', answer_body: 'null' }],
  [
    'idempotency_keys',
    'has a body but no status',
    { answer_status: 'null', answer_headers: 'null', answer_body: `'{}'` },
  ],
  ['idempotency_keys', 'has too large an answer', { answer_body: `to_json(repeat('b', 65535))` }],
  ['jobs', 'has negative attempts', { attempts: '-1' }],
  ['jobs', 'has an unknown status', { status: `'lost'` }],
  ['jobs', 'is claimed but not running', { status: `'queued'` }],
  ['jobs', 'is over without having ended', { status: `'failed'`, claimed_until: 'null' }],
  ['jobs', 'was given up without having ended', { status: `'poison'`, claimed_until: 'null' }],
  ['jobs', 'may be tried less often than never', { max_attempts: '-1' }],
  ['jobs', 'tells clients too much', { error_message: `repeat('x', 501)` }],
  ['jobs', 'tells operators too much', { error_detail: `repeat('x', 2001)` }],
  ['jobs', 'has ended but is not over', { finished_at: 'now()' }],
  ['scan_history', 'has found fewer recalls than none', { recalls_found: '-1' }],
  ['scan_history', 'is less than uncertain', { confidence_score: '-0.1' }],
  ['scan_history', 'belongs to a user without a name', { owner_id: `''` }],
  ['content_snapshot', 'has a negative size', { size: '-1' }],
  ['content_snapshot', 'belongs to a user without a name', { owner_id: `''` }],
  ['image_jobs', 'has a negative size', { file_size: '-1' }],
  ['image_jobs', 'has negative attempts', { attempts: '-1' }],
  ['image_jobs', 'is less than uncertain', { confidence_score: '-0.1' }],
  ['image_jobs', 'has an unknown status', { status: `'queued'` }],
  ['image_jobs', 'belongs to a user without a name', { owner_id: `''` }],
])('a row of %s is not valid when it %s', async (table, _, changes) => {
  const error = await add(table, changes).catch((thrown) => thrown);

  expect(error).toMatchObject({ name: 'AppError', code: 'validation_failed', cause: { code: '23514' } });
});
