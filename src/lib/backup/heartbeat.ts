import { AppError, type Clock, type LinkedAbort, startDeadline } from '../core/index.ts';
import type { Logger } from '../observability/index.ts';
import type { SlotRun } from './slot.ts';

const beatEveryMs = 30_000;
/** Less than the time after which others take the slot, so that two never run at once. */
const silentForMs = 4 * 60_000;

/**
 * Keeps a run's hold on the slot, and aborts the run when the hold is lost.
 *
 * @returns a function that stops it, and waits for a beat that is under way
 */
export function startHeartbeat(
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  slot: SlotRun,
  run: LinkedAbort,
): () => Promise<void> {
  let heardAt = clock.monotonicMs();
  let isStopped = false;
  let cancel = () => {};
  let beating = Promise.resolve();
  const beat = async () => {
    // A beat that hangs must not outlast the time in which others leave the slot alone.
    using time = startDeadline(clock, silentForMs - (clock.monotonicMs() - heardAt), run.signal);
    const isHeld = await slot.beat(time.signal).catch((error) => {
      logger.warning('the heartbeat of a backup could not be written', { error });
      return undefined;
    });
    if (isStopped) return;
    if (isHeld) heardAt = clock.monotonicMs();
    if (isHeld === false)
      run.abort(new AppError('conflict', 'Another run has taken the place of this backup'));
    else if (clock.monotonicMs() - heardAt >= silentForMs) {
      run.abort(new AppError('unavailable', 'The heartbeat could not be written for too long'));
    } else schedule();
  };
  const schedule = () => {
    cancel = clock.after(beatEveryMs, () => {
      beating = beat();
    });
  };
  schedule();
  return () => {
    isStopped = true;
    cancel();
    return beating;
  };
}
