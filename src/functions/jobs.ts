import { jobMessage } from '../lib/jobs/index.ts';
import { runtime } from '../runtime.ts';
import type { QueueFunction } from './declarations.ts';

/** Does the work that requests leave behind: the queue holds references, the database the jobs. */
export const jobs: QueueFunction = {
  name: 'jobs',
  queueName: 'jobs',
  handle: (message, signal) => runtime().jobs().work(message, signal),
  causeOf(message) {
    const { correlation_id: correlationId, traceparent } = jobMessage.safeParse(message).data ?? {};
    return { ...(correlationId !== undefined && { correlationId }), cause: { traceparent } };
  },
};
