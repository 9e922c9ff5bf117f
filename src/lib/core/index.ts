export {
  type Deadline,
  inheritDeadline,
  type LinkedAbort,
  linkAbort,
  rejectOnAbort,
  remainingMs,
  requireTime,
  startDeadline,
} from './abort.ts';
export { type Clock, parseHttpDate, sleep, startLifetime, systemClock, toTimestamp } from './clock.ts';
export { AppError, type FieldError, isAppError } from './errors.ts';
export { idPattern, isId, newId, newSecret } from './ids.ts';
export { type Lazy, lazy } from './lazy.ts';
export { createLifecycle, type Lifecycle } from './lifecycle.ts';
export { memoize } from './memoize.ts';
export { type ProblemCode, problems } from './problems.ts';
export { singleFlight } from './single-flight.ts';
export { collect, destroyOnAbort } from './streams.ts';
