import * as z from 'zod';
import type { Row } from '../database/index.ts';
import { idShape, pageOf, pageParameters } from '../http/index.ts';

const statusShape = z.enum(['queued', 'running', 'succeeded', 'failed', 'poison']);

/** A job as the API shows it. `subject` is what it works on, for example the name of a backup. */
export const jobShape = z.strictObject({
  id: idShape,
  kind: z.string(),
  subject: z.string(),
  status: statusShape,
  attempts: z.int(),
  created_at: z.iso.datetime(),
  /** Of the last attempt. */
  started_at: z.iso.datetime().nullable(),
  finished_at: z.iso.datetime().nullable(),
  /** Of the last attempt that failed, also while there will be another. */
  error: z.strictObject({ code: z.string(), message: z.string() }).optional(),
});

export type JobView = z.infer<typeof jobShape>;

export const jobPageShape = pageOf(jobShape);

/** A job in a path. */
export const jobParams = z.strictObject({ id: idShape });

/** Query parameters of the list of jobs. */
export const jobListQuery = z.strictObject({ ...pageParameters, status: statusShape.optional() });

export type JobListQuery = z.infer<typeof jobListQuery>;

export function toView(job: Row<'jobs'>): JobView {
  const { id, kind, subject, status, attempts, error_code, error_message } = job;
  return {
    id,
    kind,
    subject,
    status,
    attempts,
    created_at: job.created_at.toISOString(),
    started_at: job.started_at?.toISOString() ?? null,
    finished_at: job.finished_at?.toISOString() ?? null,
    // Rows of an older version have a code only.
    ...(error_code !== null && { error: { code: error_code, message: error_message ?? error_code } }),
  };
}
