export { type BackgroundInvocation, runInvocation } from './invocation.ts';
export { createJobs, type Jobs } from './jobs.ts';
export { jobMessage } from './message.ts';
export { jobListQuery, jobPageShape, jobParams, jobShape } from './shapes.ts';
