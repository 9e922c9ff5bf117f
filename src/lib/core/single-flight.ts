/**
 * Lets callers who want the same at the same time share one run of `work`. Who comes after it has ended, well or not,
 * begins a new one. A run is nobody's own: bound it by a time of its own, and a caller who may leave early waits with
 * {@link rejectOnAbort}.
 */
export function singleFlight<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= work().finally(() => {
      running = undefined;
    });
    return running;
  };
}
