import { describe, expect, it } from 'vitest';
import type { Database, Snapshot } from '../../../src/lib/database/index.ts';
import { createReports, reportListShape } from '../../../src/lib/reports/index.ts';
import type { Caller, Scope } from '../../../src/lib/security/index.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';

const neverAborted = new AbortController().signal;

function callerWith(...scopes: Scope[]): Caller {
  return { id: 'user-1', scopes: new Set(scopes), projectIds: [] };
}

/** A database whose connections are all in use, or one that hangs, depending on how many are. */
function waitingDatabase(directInUse: number) {
  const opened = Promise.withResolvers<Snapshot>();
  const signals: AbortSignal[] = [];
  const database: Pick<Database, 'openSnapshot' | 'connections'> = {
    connections: () => ({ app: { active: 0, max: 10 }, direct: { active: directInUse, max: 3 } }),
    openSnapshot(signal) {
      signals.push(signal);
      signal.addEventListener('abort', () => opened.reject(signal.reason));
      return opened.promise;
    },
  };
  return { database, signals, fail: opened.reject };
}

function setUp(directInUse = 0): ReturnType<typeof waitingDatabase> & {
  clock: FakeClock;
  run: (
    query?: Record<string, string>,
    name?: string,
    caller?: Caller,
    signal?: AbortSignal,
  ) => Promise<unknown>;
} {
  const clock = fakeClock();
  const waiting = waitingDatabase(directInUse);
  const reports = createReports({ clock, database: waiting.database });
  return {
    ...waiting,
    clock,
    run: (query = {}, name = 'upload-activity', caller = callerWith('reports:read'), signal = neverAborted) =>
      reports.run(caller, name, query, undefined, signal),
  };
}

describe('the catalogue', () => {
  const list = (...scopes: Scope[]) =>
    createReports({ clock: fakeClock(), database: waitingDatabase(0).database }).list(callerWith(...scopes));

  it('describes the reports of this version as the API promises', () => {
    const { data } = reportListShape.parse(list('reports:read'));

    expect(data).toEqual([
      expect.objectContaining({
        name: 'upload-activity',
        formats: ['json', 'ndjson', 'csv'],
        columns: [
          { name: 'uploaded_at', type: 'timestamp' },
          { name: 'file_id', type: 'uuid' },
          { name: 'name', type: 'string' },
          { name: 'content_type', type: 'string' },
          { name: 'size', type: 'integer', unit: 'bytes' },
          { name: 'sha256', type: 'string' },
          { name: 'owner_id', type: 'string' },
          { name: 'project_id', type: 'uuid' },
          { name: 'status', type: 'string' },
        ],
      }),
    ]);
  });

  it('has the parameters as JSON Schema that refuses unknown ones', () => {
    const [report] = list('reports:read').data;

    expect(report?.parameters).toMatchObject({
      type: 'object',
      additionalProperties: false,
      properties: {
        from: { anyOf: [{ format: 'date' }, { format: 'date-time' }] },
        to: { anyOf: [{ format: 'date' }, { format: 'date-time' }] },
        tz: { type: 'string', default: 'UTC' },
        escape_formulas: { enum: ['true', 'false'], default: 'true' },
        trailer: { const: 'row' },
      },
    });
    expect(report?.parameters).not.toHaveProperty('required');
  });

  it('leaves out what the caller may not run', () => {
    expect(list('admin').data).toHaveLength(1);
    expect(list('files:read').data).toEqual([]);
  });
});

describe('a report', () => {
  it('is not found under an unknown name', async () => {
    const { run, signals } = setUp();

    await expect(run({}, 'uploads')).rejects.toMatchObject({ code: 'not_found' });
    await expect(run({}, 'constructor')).rejects.toMatchObject({ code: 'not_found' });
    expect(signals).toEqual([]);
  });

  it('is refused to callers without its scope', async () => {
    const { run } = setUp();

    await expect(run({}, 'upload-activity', callerWith('files:read'))).rejects.toMatchObject({
      code: 'forbidden',
    });
  });

  it.each([
    ['format', { format: 'xlsx' }],
    ['format', { format: '' }],
    ['owner', { owner: 'me' }],
    ['escape_formulas', { escape_formulas: 'no' }],
    ['trailer', { trailer: 'true' }],
    ['from', { from: 'yesterday' }],
    ['from', { from: '2026-02-01', to: '2026-01-01' }],
  ])('is refused for its %s before the database is asked: %j', async (path, query) => {
    const { run, signals } = setUp();

    await expect(run(query)).rejects.toMatchObject({ code: 'validation_failed', errors: [{ path }] });
    expect(signals).toEqual([]);
  });

  it('names all refused parameters at once', async () => {
    const { run } = setUp();

    await expect(run({ tz: 'Mars', other: '1', trailer: 'x' })).rejects.toMatchObject({
      errors: expect.arrayContaining([
        expect.objectContaining({ path: 'tz' }),
        expect.objectContaining({ path: 'other', code: 'unknown' }),
        expect.objectContaining({ path: 'trailer' }),
      ]),
    });
  });

  it('says that it is busy when all connections stay in use', async () => {
    const { run, clock } = setUp(3);

    const running = run();
    const refused = expect(running).rejects.toMatchObject({
      code: 'report_busy',
      status: 503,
      retryAfterSeconds: 5,
    });
    await clock.advance(1_999);
    const timersBefore = clock.timers;
    await clock.advance(1);

    await refused;
    expect(timersBefore).toBeGreaterThan(0);
    expect(clock.timers).toBe(0);
  });

  it('does not call a database busy that is only slow to connect', async () => {
    const { run, clock, signals, fail } = setUp(1);

    const refused = expect(run()).rejects.toThrow('no answer');
    await clock.advance(10_000);
    expect(signals[0]?.aborted).toBe(false);
    fail(new Error('no answer'));

    await refused;
    expect(clock.timers).toBe(0);
  });

  it('gives up after a minute and names the way for large reports', async () => {
    const { run, clock } = setUp(1);

    const refused = expect(run()).rejects.toMatchObject({
      code: 'report_too_large',
      message: expect.stringContaining('POST /api/v1/reports/upload-activity/runs'),
    });
    await clock.advance(60_000);

    await refused;
  });

  it('closes a snapshot that comes too late by its signal', async () => {
    const { run, signals, fail } = setUp();

    const refused = expect(run()).rejects.toThrow('timed out');
    fail(new Error('timed out'));
    await refused;

    expect(signals[0]?.aborted).toBe(true);
  });

  it('stops with the reason of the caller', async () => {
    const { run, clock } = setUp();
    const controller = new AbortController();

    const refused = expect(run({}, undefined, undefined, controller.signal)).rejects.toThrow('gone');
    controller.abort(new Error('gone'));

    await refused;
    expect(clock.timers).toBe(0);
  });
});
