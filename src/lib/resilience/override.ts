/**
 * Who decides about the breaker of a dependency: `auto`, the breaker itself; `open`, an operator who lets nothing through;
 * `closed`, an operator who lets everything through, whatever fails.
 */
export type BreakerMode = 'auto' | 'open' | 'closed';

/** An operator's order; none means `auto`. */
export interface BreakerOverride {
  readonly mode: Exclude<BreakerMode, 'auto'>;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** Asked before every try, so it answers from memory, at once. */
export type FindOverride = (name: string) => BreakerOverride | undefined;
