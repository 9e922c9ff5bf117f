import type { Command } from 'commander';
import { isId } from '../lib/core/index.ts';
import type { Jobs } from '../lib/jobs/index.ts';
import { jobListQuery } from '../lib/jobs/index.ts';
import { withRuntime } from './with-runtime.ts';

const maxListed = '200';

/** `crownsafe jobs list | show | retry`: work that outlives its request. */
export function addJobsCommand(program: Command): void {
  const jobs = program.command('jobs').description('work that outlives its request');
  jobs
    .command('list')
    .description(`list the newest ${maxListed}`)
    .option('--status <status>', 'only those that are queued, running, succeeded, failed or poison')
    .action((options: { status?: string }) => withJobs((all, signal) => list(all, options.status, signal)));
  jobs
    .command('show <id>')
    .description('show one, with what went wrong')
    .action((id: string) => withJobs((all, signal) => show(all, idOf(id), signal)));
  jobs
    .command('retry <id>')
    .description('call a worker again for one that has failed or is poison')
    .action((id: string) =>
      withJobs(async (all, signal) => {
        console.log((await all.retry(idOf(id), signal)).status);
      }),
    );
}

function withJobs(work: (jobs: Jobs, signal: AbortSignal) => Promise<void>): Promise<void> {
  return withRuntime(({ jobs }, signal) => work(jobs(), signal));
}

async function list(jobs: Jobs, status: string | undefined, signal: AbortSignal): Promise<void> {
  const query = jobListQuery.safeParse({ status, per_page: maxListed });
  if (!query.success) throw new Error('the status is queued, running, succeeded, failed or poison');
  for (const job of (await jobs.list(query.data, signal)).data) {
    const end = job.error === undefined ? job.status : `${job.status} (${job.error.code})`;
    // A stray message may hold any text; one job is one line.
    const subject = job.subject.replaceAll(/\s+/g, ' ');
    console.log([job.id, job.created_at, end, job.kind, subject].join('  '));
  }
}

async function show(jobs: Jobs, id: string, signal: AbortSignal): Promise<void> {
  const detail = await jobs.errorDetail(id, signal);
  console.log(JSON.stringify({ ...(await jobs.get(id, signal)), error_detail: detail }, undefined, 2));
}

function idOf(text: string): string {
  if (isId(text)) return text;
  throw new Error(`${text} is no id of a job`);
}
