import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { json as readJson } from 'node:stream/consumers';
import { TableClient } from '@azure/data-tables';
import { QueueClient } from '@azure/storage-queue';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  type Api,
  afterMaintenance,
  apiWith,
  bodyOf,
  expectProblem,
  inDatabase,
  json,
  newCaller,
} from '../support/api.ts';
import { type App, startApp } from '../support/app.ts';
import { pngBytes } from '../support/uploads.ts';

/* A stack of its own, because its worker is killed and its host stopped. */

interface Job {
  readonly id: string;
  readonly kind: string;
  readonly subject: string;
  readonly status: string;
  readonly attempts: number;
  readonly error?: { readonly code: string };
}

let app: App;
let api: Api;

beforeAll(async () => {
  app = await startApp(inject('appFolder'));
  api = apiWith(app.adminKey, app.baseUrl);
});
afterAll(() => app.stop());

const sql = (text: string, values: unknown[] = []) =>
  inDatabase((db) => db.query(text, values), app.databaseUrl).then(({ rows }) => rows);
const jobOf = (id: string) => bodyOf<Job>(api(`/api/v1/jobs/${id}`));

/** A backup whose dump waits for a lock, with its job; `release` lets it go on. */
async function startStuckBackup() {
  const locker = new pg.Client(app.databaseUrl);
  await locker.connect();
  await locker.query('begin; lock table files in access exclusive mode');
  const { name } = await bodyOf<{ name: string }>(api('/api/v1/backups', { method: 'POST' }));
  const waiting = `select pid from pg_stat_activity where application_name = 'pg_dump' and wait_event_type = 'Lock'`;
  await expect.poll(() => sql(waiting), { timeout: 20_000 }).toHaveLength(1);
  const { data } = await bodyOf<{ data: Job[] }>(api('/api/v1/jobs?status=running'));
  const job = data.find(({ subject }) => subject === name);
  if (!job) throw new Error('the backup has no running job');
  return {
    name,
    id: job.id,
    endDump: () => sql(`select pg_terminate_backend(pid) from (${waiting}) as dump`),
    release: () => locker.end(),
  };
}

/** As if the minutes had passed after which a silent worker is taken for dead. */
async function letMinutesPass(id: string): Promise<void> {
  await sql(
    `update jobs set claimed_until = now() - interval '1 second' where id = $1 and status = 'running'`,
    [id],
  );
  const table = TableClient.fromConnectionString(app.storageConnectionString, 'crownsafebackups', {
    allowInsecureConnection: true,
  });
  const [partitionKey, rowKey] = ['slot', 'active'];
  await table.updateEntity({ partitionKey, rowKey, heartbeat: { type: 'Int64', value: '0' } }, 'Merge');
}

/** Delivers the message of a job; those in the queue are hidden for half a minute or a whole one. */
async function deliver(id: string): Promise<void> {
  const response = await fetch(
    `${app.baseUrl}/admin/functions/jobs`,
    json({ input: JSON.stringify({ kind: 'backup', id }) }),
  );
  expect(response.status).toBe(202);
}

const storedTimes = (name: string) =>
  app.logLines.filter((line) => line.includes('the backup is stored') && line.includes(name)).length;

describe('jobs', () => {
  it('are shown to admins only', async () => {
    await expectProblem(await apiWith(undefined, app.baseUrl)('/api/v1/jobs'), 401, 'unauthorized');
    const member = await newCaller('monitoring:read', 'backups:write');
    await expectProblem(await member('/api/v1/jobs'), 403, 'forbidden');
    await expectProblem(
      await member(`/api/v1/jobs/${crypto.randomUUID()}/retry`, { method: 'POST' }),
      403,
      'forbidden',
    );
    await expectProblem(await api('/api/v1/jobs?status=lost'), 422, 'validation_failed');
    await expectProblem(await api('/api/v1/jobs/nonsense'), 404, 'not_found');
    await expectProblem(await api(`/api/v1/jobs/${crypto.randomUUID()}`), 404, 'not_found');
    await expectProblem(
      await api(`/api/v1/jobs/${crypto.randomUUID()}/retry`, { method: 'POST' }),
      404,
      'not_found',
    );
  });

  it('are tried again once when they have failed, and then succeed', async () => {
    const { name, id, endDump, release } = await startStuckBackup();
    await endDump();
    await expect.poll(() => jobOf(id), { timeout: 20_000 }).toMatchObject({ status: 'failed' });
    const failed = await jobOf(id);
    await release();

    const retries = await Promise.all(
      [1, 2, 3].map(() => api(`/api/v1/jobs/${id}/retry`, { method: 'POST' })),
    );
    const accepted = retries.filter(({ status }) => status === 202);
    await expect
      .poll(() => jobOf(id), { timeout: 30_000 })
      .toMatchObject({ status: 'succeeded', attempts: 2 });

    expect(failed).toMatchObject({
      kind: 'backup',
      subject: name,
      attempts: 1,
      error: { code: 'pg_dump_failed' },
    });
    expect(accepted).toHaveLength(1);
    expect(accepted[0]?.headers.get('location')).toBe(`/api/v1/jobs/${id}`);
    expect(await accepted[0]?.json()).toMatchObject({ id, status: 'queued' });
    for (const refused of retries.filter(({ status }) => status !== 202))
      await expectProblem(refused, 409, 'job_not_retriable');
    expect(await bodyOf(api(`/api/v1/backups/${name}`))).toMatchObject({ status: 'stored' });
    expect(storedTimes(name)).toBe(1);
    await expectProblem(await api(`/api/v1/jobs/${id}/retry`, { method: 'POST' }), 409, 'job_not_retriable');
  });

  it('finish exactly once when their worker is killed in the middle', async () => {
    const { name, id, release } = await startStuckBackup();
    process.kill(app.host.workerPid, 'SIGKILL');
    const exit = await app.host.workerExited;
    await release();
    await app.restart();
    const meanwhile = await jobOf(id);

    await letMinutesPass(id);
    await Promise.all([deliver(id), deliver(id), deliver(id)]);

    await expect
      .poll(() => jobOf(id), { timeout: 30_000 })
      .toMatchObject({ status: 'succeeded', attempts: 2 });
    expect(exit).toBe('SIGKILL');
    expect(meanwhile).toMatchObject({ status: 'running', attempts: 1 });
    expect(await bodyOf(api(`/api/v1/backups/${name}`))).toMatchObject({ status: 'stored' });
    expect(storedTimes(name)).toBe(1);
  });

  it('are shown as poison when the platform has put their messages aside, and so is what is no job', async () => {
    const queue = new QueueClient(app.storageConnectionString, 'jobs-poison');
    await queue.createIfNotExists();
    const id = crypto.randomUUID();
    await sql(`insert into jobs (id, kind, subject, status) values ($1, 'backup', 'b', 'queued')`, [id]);
    await queue.sendMessage(JSON.stringify({ kind: 'backup', id }));
    await queue.sendMessage('garbage');

    const poisoned = () => bodyOf<{ data: Job[]; total: number }>(api('/api/v1/jobs?status=poison'));

    await afterMaintenance(app.baseUrl, async () => (await poisoned()).total).toBe(2);

    const { data } = await poisoned();
    const metrics = await (await api('/metrics')).text();
    expect(data.find((job) => job.id === id)).toMatchObject({
      status: 'poison',
      error: { code: 'abandoned' },
    });
    expect(data.find(({ kind }) => kind === 'unknown')).toMatchObject({
      subject: 'garbage',
      error: { code: 'no_job_message' },
    });
    const waiting = async () => (await queue.getProperties()).approximateMessagesCount;
    await expect.poll(waiting, { timeout: 10_000 }).toBe(0);
    expect(metrics).toMatch(/^jobs_poison\{instance="\w+"\} 2$/m);
    expect(metrics).toMatch(/^jobs_total\{kind="backup",outcome="succeeded",instance="\w+"\} 1$/m);
    expect(metrics).toMatch(/^jobs_total\{kind="unknown",outcome="poison",instance="\w+"\} 1$/m);
  });
});

/** An upload whose end is still to come. */
function beginUpload() {
  const request = httpRequest(`${app.baseUrl}/api/v1/uploads`, {
    method: 'POST',
    headers: { 'x-api-key': app.adminKey, 'content-type': 'image/png', 'x-file-name': 'slow.png' },
  });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  const bytes = pngBytes();
  request.write(bytes.subarray(0, 20));
  return {
    async end() {
      request.end(bytes.subarray(20));
      const [response] = await answered;
      return { status: response.statusCode, body: await readJson(response) };
    },
  };
}

const appConnections = () =>
  sql(`select pid from pg_stat_activity where application_name in ('crownsafe', 'pg_dump')`);

describe('stopping', () => {
  it('lets an upload end that has begun, takes no new request, and leaves no connection', async () => {
    const begun = () =>
      app.logLines.filter((line) => line.includes("Executing 'Functions.files-upload'")).length;
    const before = begun();
    const upload = beginUpload();
    await expect.poll(begun, { timeout: 10_000 }).toBe(before + 1);

    const startedAt = performance.now();
    const stopping = app.host.stop();
    const refused = await api('/health').then(
      ({ status }) => status,
      (error: Error) => (error.cause as { code?: string }).code,
    );
    const { status, body } = await upload.end();
    await stopping;

    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(refused).toBe('ECONNREFUSED');
    expect([status, body]).toMatchObject([201, { status: 'available' }]);
    expect(await app.host.workerExited).toBe(0);
    await expect.poll(appConnections, { timeout: 5_000 }).toEqual([]);
    await app.restart();
  });

  it('cuts a job off that would not end in time, and the next worker does it', async () => {
    const { name, id, release } = await startStuckBackup();

    const startedAt = performance.now();
    await app.host.stop();
    const seconds = (performance.now() - startedAt) / 1000;
    const [row] = await sql('select status, attempts, error_code, claimed_until from jobs where id = $1', [
      id,
    ]);
    const exit = await app.host.workerExited;
    await release();
    await app.restart();
    await letMinutesPass(id);
    await deliver(id);

    await expect
      .poll(() => jobOf(id), { timeout: 30_000 })
      .toMatchObject({ status: 'succeeded', attempts: 2 });
    // Five seconds of the host, then those of the worker.
    expect(seconds).toBeGreaterThan(7);
    expect(seconds).toBeLessThan(10);
    expect(exit).toBe(0);
    expect(row).toEqual({ status: 'queued', attempts: 1, error_code: 'unavailable', claimed_until: null });
    expect(app.logLines.join('\n')).toContain('the process stops and cuts off what is still going on');
    expect(storedTimes(name)).toBe(1);
  });
});
