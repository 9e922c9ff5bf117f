import { type AppError, type Clock, rejectOnAbort, singleFlight, startDeadline } from '../core/index.ts';
import { type Dependency, isHouseMissing, type Resilience, type RunOptions } from '../resilience/index.ts';
import { translate } from './errors.ts';
import { traced } from './traced.ts';

interface CallContext extends RunOptions {
  /** Gives a refusal its meaning for the caller; what it does not know becomes `upstream`. */
  readonly explain?: (error: unknown) => AppError | undefined;
}

/** Makes one round trip to the service under the policies. */
export type Call = <T>(
  operation: string,
  fn: (signal: AbortSignal) => Promise<T>,
  context: CallContext,
) => Promise<T>;

interface CallsOptions {
  readonly clock: Clock;
  readonly resilience: Resilience;
  readonly dependency: Dependency;
  /** Of the container, table or queue. */
  readonly name: string;
  /** Makes the container, table or queue; succeeds when it is there. */
  readonly create: (signal: AbortSignal) => Promise<unknown>;
}

/** Making a container is bounded by itself: it is shared by callers whose own deadlines differ. */
const createTimeoutMs = 30_000;

/**
 * Calls into one container, table or queue. When it turns out to be missing it is made, once for all who wait for
 * it, and the call is repeated: nothing has to be set up before the first use, and nothing is asked twice when it
 * is there.
 */
export function createCalls({ clock, resilience, dependency, name, create }: CallsOptions): Call {
  const make = singleFlight(async () => {
    using deadline = startDeadline(clock, createTimeoutMs);
    await traced(dependency, 'create', name, () =>
      resilience.run(dependency, 'create', create, { signal: deadline.signal }),
    );
  });

  return async (operation, fn, { explain, ...options }) => {
    const run = () => resilience.run(dependency, operation, fn, options);
    try {
      return await traced(dependency, operation, name, () =>
        run().catch(async (error: unknown) => {
          if (!isHouseMissing(error)) throw error;
          await rejectOnAbort(make(), options.signal);
          return run();
        }),
      );
    } catch (error) {
      throw explain?.(error) ?? translate(error);
    }
  };
}
