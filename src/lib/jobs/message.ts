import * as z from 'zod';
import { isId } from '../core/index.ts';
import { currentContext, propagationHeaders } from '../observability/index.ts';
import type { Queue } from '../storage/index.ts';

/**
 * A message of the queue `jobs`: only a reference, the job itself is in the database. Old and new versions work side by side
 * while one takes the other's place, so what a version does not know is let go by; only what the job needs must be right.
 */
export const jobMessage = z.object({
  kind: z.string().min(1).max(50),
  id: z.string().refine(isId),
  correlation_id: z.string().max(128).optional().catch(undefined),
  /** Where the request stood in its trace. */
  traceparent: z.string().max(128).optional().catch(undefined),
});

export type JobMessage = z.infer<typeof jobMessage>;

/** Calls a worker for a job, on behalf of the present request. */
export async function callWorker(
  queue: Queue,
  { id, kind }: Pick<JobMessage, 'id' | 'kind'>,
  signal: AbortSignal,
): Promise<void> {
  const message: JobMessage = {
    kind,
    id,
    correlation_id: currentContext()?.correlationId,
    traceparent: propagationHeaders()['traceparent'],
  };
  await queue.send(JSON.stringify(message), { signal });
}
