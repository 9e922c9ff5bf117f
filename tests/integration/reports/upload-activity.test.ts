import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { systemClock } from '../../../src/lib/core/index.ts';
import {
  type Database,
  type FileStatus,
  migrateToLatest,
  parseDatabaseUrl,
} from '../../../src/lib/database/index.ts';
import type { Answer } from '../../../src/lib/http/index.ts';
import { createReports } from '../../../src/lib/reports/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import type { Caller } from '../../../src/lib/security/index.ts';
import { createDatabase, dropDatabase, openDatabase } from '../../support/databases.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const neverAborted = new AbortController().signal;
const projectId = randomUUID();
const owner: Caller = { id: 'owner', scopes: new Set(['reports:read']), projectIds: [] };
const member: Caller = { id: 'member', scopes: new Set(['reports:read']), projectIds: [projectId] };
const stranger: Caller = { id: 'stranger', scopes: new Set(['reports:read']), projectIds: [] };
const collector: Caller = { id: 'collector', scopes: new Set(['reports:read']), projectIds: [] };
const admin: Caller = { id: 'admin', scopes: new Set(['admin']), projectIds: [] };

/** The collector has one file for each of the first 100,001 seconds of 2020. */
const collected = 100_001;
const collection = { from: '2020-01-01', to: '2020-01-03' };
const wholeAllowed = { from: '2020-01-01', to: '2020-01-02T03:46:40Z' };
const small = { from: '2026-01-01', to: '2026-02-01' };

let databaseUrl: string;
let database: Database;
let sql: pg.Client;

beforeAll(async () => {
  databaseUrl = await createDatabase(inject('databaseUrl'));
  await migrateToLatest(parseDatabaseUrl(databaseUrl));
  sql = new pg.Client(databaseUrl);
  await sql.connect();
  database = openDatabase(databaseUrl, createResilience({ clock: systemClock }));
  await sql.query(`insert into projects (id, name) values ($1, 'Toys')`, [projectId]);
  await sql.query(
    `insert into files (id, name, content_type, size, sha256, status, owner_id, container, blob_name, created_at, uploaded_at)
     select gen_random_uuid(), 'photo ' || second || '.jpg', 'image/jpeg', second, repeat('ab', 32), 'available',
            'collector', 'files', second::text, moment, moment
     from generate_series(0, $1::int - 1) as second,
          lateral (select timestamptz '2020-01-01 00:00Z' + second * interval '1 second') as at (moment)`,
    [collected],
  );
  await sql.query('analyze files');
});

afterAll(async () => {
  await database.close();
  await sql.end();
  await dropDatabase(databaseUrl);
});

async function addFile(file: {
  uploadedAt: string | null;
  ownerId?: string;
  projectId?: string;
  status?: FileStatus;
  name?: string;
  id?: string;
}): Promise<string> {
  const id = file.id ?? randomUUID();
  await sql.query(
    `insert into files (id, name, content_type, size, sha256, status, owner_id, project_id, container, blob_name, created_at, uploaded_at)
     values ($1, $2, 'image/png', 5, repeat('0f', 32), $3, $4, $5, 'files', 'blob', now(), $6)`,
    [
      id,
      file.name ?? 'a.png',
      file.status ?? 'available',
      file.ownerId ?? 'owner',
      file.projectId ?? null,
      file.uploadedAt,
    ],
  );
  return id;
}

function setUp() {
  const clock = fakeClock({ startAt: Date.parse('2026-01-31T12:00:00Z') });
  const reports = createReports({ clock, database });
  const run = (
    caller: Caller,
    query: Record<string, string>,
    { accept, signal = neverAborted }: { accept?: string; signal?: AbortSignal } = {},
  ) => reports.run(caller, 'upload-activity', query, accept, signal);
  return { clock, run };
}

function streamOf(answer: Answer): Readable {
  if (answer.body.kind !== 'stream') throw new Error('The answer is no stream');
  return answer.body.stream;
}

async function textOf(answer: Answer): Promise<string> {
  return Buffer.concat(await streamOf(answer).toArray()).toString();
}

async function rowsOf(answer: Answer): Promise<Record<string, unknown>[]> {
  return JSON.parse(await textOf(answer)).data;
}

async function readToEnd(pieces: AsyncIterable<unknown>): Promise<void> {
  for await (const _piece of pieces);
}

/** Every snapshot is closed, here and on the server. */
async function expectNothingHeld(): Promise<void> {
  await vi.waitFor(async () => {
    expect(database.connections().direct.active).toBe(0);
    const { rows } = await sql.query(
      `select state, query from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'`,
    );
    expect(rows).toEqual([]);
  });
}

describe('upload activity', () => {
  const ids = ['1', '2', '3', '4', '5', '6', '7'].map(
    (digit) => `0000000${digit}-0000-4000-8000-000000000000`,
  );
  const [own, ownQuarantined, ownDeleted, pending, shared, others, later] = ids as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];

  beforeAll(async () => {
    await addFile({ id: shared, uploadedAt: '2026-01-05T10:00:00.001Z', ownerId: 'other', projectId });
    await addFile({ id: ownQuarantined, uploadedAt: '2026-01-05T10:00:00Z', status: 'quarantined' });
    await addFile({ id: own, uploadedAt: '2026-01-05T10:00:00Z', name: '=1+1,"x"\n.png' });
    await addFile({ id: ownDeleted, uploadedAt: '2026-01-06T10:00:00Z', status: 'deleted' });
    await addFile({ id: pending, uploadedAt: null, status: 'pending' });
    await addFile({ id: others, uploadedAt: '2026-01-07T10:00:00Z', ownerId: 'other' });
    await addFile({ id: later, uploadedAt: '2026-01-31T12:00:00Z' });
  });

  it.each([
    ['the owner', owner, [own, ownQuarantined, later]],
    ['a member of the project', member, [shared]],
    ['somebody else', stranger, []],
    ['an admin', admin, [own, ownQuarantined, shared, ownDeleted, others, later]],
  ])('shows %s what they may see, in order', async (_who, caller, expected) => {
    const rows = await rowsOf(await setUp().run(caller, small));

    expect(rows.map((row) => row['file_id'])).toEqual(expected);
    await expectNothingHeld();
  });

  it('has all columns in their order, with milliseconds, nulls and numbers', async () => {
    const [row] = await rowsOf(await setUp().run(owner, small));

    expect(Object.entries(row ?? {})).toEqual([
      ['uploaded_at', '2026-01-05T10:00:00.000Z'],
      ['file_id', own],
      ['name', '=1+1,"x"\n.png'],
      ['content_type', 'image/png'],
      ['size', 5],
      ['sha256', '0f'.repeat(32)],
      ['owner_id', 'owner'],
      ['project_id', null],
      ['status', 'available'],
    ]);
  });

  it('takes the beginning of the range in and leaves its end out', async () => {
    const { run } = setUp();

    const fromThere = await rowsOf(await run(owner, { from: '2026-01-05T10:00:00Z' }));
    const upToThere = await rowsOf(await run(owner, { from: '2026-01-01', to: '2026-01-05T10:00:00Z' }));
    const afterThere = await rowsOf(await run(owner, { from: '2026-01-05T10:00:00.001Z' }));

    expect(fromThere).toHaveLength(2);
    expect(upToThere).toEqual([]);
    expect(afterThere).toEqual([]);
  });

  it('says in JSON what it shows: report, parameters, rows and the hash of the NDJSON', async () => {
    const { run } = setUp();

    const json = JSON.parse(await textOf(await run(owner, { ...small, tz: 'Europe/Warsaw' })));
    const lines = (await textOf(await run(owner, { ...small, tz: 'Europe/Warsaw', format: 'ndjson' }))).split(
      '\n',
    );

    const rows = lines.slice(0, -2).map((line) => `${line}\n`);
    expect(json).toMatchObject({
      report: 'upload-activity',
      parameters: {
        from: '2025-12-31T23:00:00.000Z',
        to: '2026-01-31T23:00:00.000Z',
        tz: 'Europe/Warsaw',
      },
      summary: { rows: 3, sha256: createHash('sha256').update(rows.join('')).digest('hex') },
    });
    expect(JSON.parse(lines.at(-2) ?? '')).toEqual({ summary: json.summary });
  });

  it('names its snapshot, its time and, as CSV, its file', async () => {
    const { run } = setUp();

    const json = await run(owner, {});
    const csv = await run(owner, { ...small, trailer: 'row' }, { accept: 'text/csv' });

    const text = await textOf(csv);
    await textOf(json);
    expect(json.headers).toEqual({
      'content-type': 'application/json',
      'x-report-snapshot': expect.stringMatching(/^\d+:\d+:/),
      'x-report-generated-at': '2026-01-31T12:00:00.000Z',
    });
    expect(csv.headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': expect.stringMatching(
        /^attachment; filename="?upload-activity_2026-01-01_2026-02-01\.csv"?$/,
      ),
    });
    expect(text).toContain(`${own},"'=1+1,""x""\n.png",image/png,5,`);
    expect(text).toMatch(/#summary,3,[0-9a-f]{64}\r\n$/);
  });

  it('lets the format beat Accept', async () => {
    const { run } = setUp();

    const ndjson = await run(owner, { ...small, format: 'ndjson' }, { accept: 'text/csv' });

    await textOf(ndjson);
    expect(ndjson.headers['content-type']).toBe('application/x-ndjson');
    expect(ndjson.headers).not.toHaveProperty('content-disposition');
  });
});

describe('a long report', () => {
  it('is answered up to exactly the limit', async () => {
    const text = await textOf(await setUp().run(collector, { ...wholeAllowed, format: 'ndjson' }));

    const end = text.lastIndexOf('\n', text.length - 2) + 1;
    expect(JSON.parse(text.slice(end))).toEqual({
      summary: { rows: 100_000, sha256: createHash('sha256').update(text.slice(0, end)).digest('hex') },
    });
    await expectNothingHeld();
  });

  it('is refused with one row more', async () => {
    await expect(setUp().run(collector, collection)).rejects.toMatchObject({
      code: 'report_too_large',
      status: 422,
      message: expect.stringContaining('/api/v1/reports/upload-activity/runs'),
    });
    await expectNothingHeld();
  });

  it('is refused without being counted when PostgreSQL expects far too much', async () => {
    const { rows } = await sql.query(`select reltuples from pg_class where relname = 'files'`);
    await sql.query(`update pg_class set reltuples = 1e9 where relname = 'files'`);

    const refused = setUp().run(collector, { from: '2020-01-01', to: '2020-01-02' });

    await expect(refused).rejects.toMatchObject({ code: 'report_too_large' });
    await sql.query(`update pg_class set reltuples = $1 where relname = 'files'`, [rows[0].reltuples]);
  });

  it('shows nothing that is written while it streams', async () => {
    const answer = await setUp().run(collector, { ...wholeAllowed, format: 'ndjson' });
    const pieces = streamOf(answer).iterator();
    let text = String((await pieces.next()).value);

    const written = await addFile({ uploadedAt: '2020-01-02T03:46:39.999Z', ownerId: 'collector' });
    await sql.query(
      `update files set name = 'changed' where owner_id = 'collector' and uploaded_at > '2020-01-02'`,
    );
    for await (const piece of pieces) text += piece;

    expect(text).not.toContain(written);
    expect(text).not.toContain('changed');
    expect(text).toContain('"rows":100000');
    await sql.query('delete from files where id = $1', [written]);
  });

  it('stops in the middle when its caller goes, and gives the connection back', async () => {
    const { run, clock } = setUp();
    const controller = new AbortController();
    const answer = await run(collector, { ...wholeAllowed, format: 'csv' }, { signal: controller.signal });
    const pieces = streamOf(answer).iterator();
    await pieces.next();

    controller.abort(new Error('the client has gone'));

    await expect(readToEnd(pieces)).rejects.toThrow('the client has gone');
    await expectNothingHeld();
    expect(clock.timers).toBe(0);
  });

  it('gives the connection back when nobody reads it', async () => {
    const { run, clock } = setUp();
    const stream = streamOf(await run(collector, wholeAllowed));

    stream.destroy();

    await once(stream, 'close');
    await expectNothingHeld();
    expect(clock.timers).toBe(0);
  });

  it('survives a caller who goes before the first byte is read', async () => {
    const { run } = setUp();
    const controller = new AbortController();
    const stream = streamOf(await run(collector, wholeAllowed, { signal: controller.signal }));

    controller.abort(new Error('the client has gone'));

    await vi.waitFor(() => expect(stream.closed).toBe(true));
    await expectNothingHeld();
  });

  it('breaks when the connection to the database does', async () => {
    const answer = await setUp().run(collector, { ...wholeAllowed, format: 'csv' });
    const pieces = streamOf(answer).iterator();
    await pieces.next();

    await sql.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()`,
    );

    await expect(readToEnd(pieces)).rejects.toMatchObject({ name: 'AppError' });
    await expectNothingHeld();
  });

  it('breaks when it takes longer than a minute', async () => {
    const { run, clock } = setUp();
    const answer = await run(collector, { ...wholeAllowed, format: 'csv' });
    const pieces = streamOf(answer).iterator();
    await pieces.next();

    await clock.advance(60_000);

    await expect(readToEnd(pieces)).rejects.toMatchObject({ code: 'report_too_large' });
    await expectNothingHeld();
  });

  it('is refused when its first byte takes longer than a minute', async () => {
    const { run, clock } = setUp();
    await sql.query('begin');
    await sql.query('lock table files in access exclusive mode');

    const refused = expect(run(owner, small)).rejects.toMatchObject({ code: 'report_too_large' });
    await vi.waitFor(() => expect(database.connections().direct.active).toBe(1));
    await clock.advance(60_000);

    await refused;
    await sql.query('rollback');
    await expectNothingHeld();
  });
});

describe('many reports at once', () => {
  it('wait a little for a connection and are then told that reports are busy', async () => {
    const { run, clock } = setUp();
    const held = await Promise.all([1, 2, 3].map(() => run(collector, wholeAllowed)));

    const refused = expect(run(owner, small)).rejects.toMatchObject({
      code: 'report_busy',
      retryAfterSeconds: 5,
    });
    await clock.advance(2_000);

    await refused;
    for (const answer of held) streamOf(answer).destroy();
    await expectNothingHeld();
  });

  it('go on when a connection becomes free in time', async () => {
    const { run } = setUp();
    const held = await Promise.all([1, 2, 3].map(() => run(collector, wholeAllowed)));

    const waiting = run(owner, small);
    for (const answer of held) streamOf(answer).destroy();

    expect(await rowsOf(await waiting)).toHaveLength(3);
    await expectNothingHeld();
  });
});
