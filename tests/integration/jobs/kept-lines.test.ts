import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../../src/lib/core/index.ts';
import type { Database } from '../../../src/lib/database/index.ts';
import { work } from '../../../src/lib/jobs/work.ts';
import { createLogger, runInContext } from '../../../src/lib/observability/index.ts';
import { memoryQueue } from '../../support/memory/memory-queue.ts';
import { makeJobs, openJobsDatabase, signal } from './set-up.ts';

let database: Database;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ database, close } = await openJobsDatabase());
});
afterAll(() => close());

it('tells of a job that fails after what was kept of its invocation, which itself succeeds', async () => {
  const message = await makeJobs(database).enqueue();
  const lines: string[] = [];
  const logger = createLogger({ clock: systemClock, level: 'error', write: (line) => lines.push(line) });
  const handlers = { test: () => Promise.reject(new Error('the engine broke')) };
  const queue = memoryQueue();
  const audit = async () => {};
  const ports = { clock: systemClock, logger, database, audit, queue, handlers, count: () => {} };
  const context = { correlationId: 'correlation-1', functionName: 'jobs', requestId: 'r', write: undefined };

  await runInContext(context, () => work(ports, message, signal));

  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'debug', message: 'a job was claimed, or not', claim: 'claimed', job_id: message.id },
    { level: 'error', message: 'the job failed', error: { message: 'the engine broke' } },
  ]);
});
