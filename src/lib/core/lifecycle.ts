import { rejectOnAbort, startDeadline } from './abort.ts';
import type { Clock } from './clock.ts';
import { AppError } from './errors.ts';

/**
 * What stopping may take in all. The host kills a worker 5 s after it has told it to end
 * (`WorkerTerminateGracePeriodInSeconds` in Azure/azure-functions-host); half a second of that is for what comes between. It
 * has let work that it knew of end before: for up to 60 minutes when it scales in, for 10 when the platform is updated.
 */
const stopMs = 4_500;
/** For work to end by itself, which is more than nearly all requests take; the rest needs the time that is left. */
const drainMs = 2_500;
/** For work that was cut off to write down what became of it: a round trip or two to the database. */
const settleMs = 500;
/** Another instance is there, or is started within seconds. */
const retryAfterSeconds = 5;

/** Something that is going on, such as an invocation. Dispose of it (`using`) when it has ended, or stopping waits for it. */
export interface Activity extends Disposable {
  /** Aborts with an {@link AppError} `unavailable` when the process can wait no longer. */
  readonly signal: AbortSignal;
}

/** The end of a process, in order: no new work, what is going on ends or is cut off, then everything is closed. */
export interface Lifecycle {
  readonly isStopping: boolean;
  /** For work that is not worth beginning any more. @throws AppError `unavailable` while the process stops */
  throwIfStopping(): void;
  /** Counts something that is going on, also while the process stops. */
  begin(): Activity;
  /**
   * Registers what is done when nothing is going on any more. It runs in the order of registration, so what others still need
   * comes last; none can keep the next from its turn.
   *
   * @param name - for the log, where it fails
   * @param cleanUp - its signal aborts when its share of the time is over; nobody waits for it then
   */
  onStop(name: string, cleanUp: (signal: AbortSignal) => Promise<unknown>): void;
  /** Stops; calling it again waits for the same end. Never rejects, and takes 4.5 s at most. */
  stop(): Promise<void>;
}

interface LifecyclePorts {
  readonly clock: Clock;
  readonly logger: Record<
    'info' | 'warning',
    (message: string, fields: Readonly<Record<string, unknown>>) => void
  >;
}

/** Makes the life of a process. */
export function createLifecycle({ clock, logger }: LifecyclePorts): Lifecycle {
  const cutOff = new AbortController();
  const cleanUps: { readonly name: string; readonly run: (signal: AbortSignal) => Promise<unknown> }[] = [];
  let active = 0;
  let onIdle = () => {};
  let stopping: Promise<void> | undefined;

  function idleWithin(timeoutMs: number): Promise<boolean> {
    if (active === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const cancel = clock.after(timeoutMs, () => resolve(false), { keepsAlive: true });
      onIdle = () => {
        cancel();
        resolve(true);
      };
    });
  }

  async function endWork(): Promise<void> {
    if (active > 0) logger.info('the process stops when what is going on has ended', { active });
    if (await idleWithin(drainMs)) return;
    logger.warning('the process stops and cuts off what is still going on', { active });
    cutOff.abort(stoppingError());
    if (!(await idleWithin(settleMs)))
      logger.warning('some work did not end when it was cut off', { active });
  }

  async function stopInOrder(): Promise<void> {
    const endsMs = clock.monotonicMs() + stopMs;
    await endWork();
    for (const [index, { name, run }] of cleanUps.entries()) {
      // What one does not need is for those after it.
      const shareMs = (endsMs - clock.monotonicMs()) / (cleanUps.length - index);
      using time = startDeadline(clock, shareMs);
      // A process that nothing else keeps alive would end in the middle, with the rest open.
      const letGo = clock.after(shareMs, () => {}, { keepsAlive: true });
      await rejectOnAbort(Promise.resolve(time.signal).then(run), time.signal).catch((error) =>
        logger.warning('something could not be closed in order', { what: name, error }),
      );
      letGo();
    }
  }

  return {
    get isStopping() {
      return stopping !== undefined;
    },
    throwIfStopping() {
      if (stopping !== undefined) throw stoppingError();
    },
    begin() {
      active += 1;
      let isOver = false;
      return {
        signal: cutOff.signal,
        [Symbol.dispose]() {
          if (isOver) return;
          isOver = true;
          active -= 1;
          if (active === 0) onIdle();
        },
      };
    },
    onStop: (name, run) => void cleanUps.push({ name, run }),
    stop() {
      stopping ??= stopInOrder();
      return stopping;
    },
  };
}

function stoppingError(): AppError {
  return new AppError('unavailable', 'This instance is being stopped', { retryAfterSeconds });
}
