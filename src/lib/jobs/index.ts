export { runInvocation } from './invocation.ts';
export { createJobs, type Jobs, jobMessage } from './jobs.ts';
