/**
 * What an error says about the service and about what was asked of it:
 *
 * - `refused`: not done, and the service is not well; repeating is safe
 * - `lost`: no answer, so it may have been done; repeated only when the caller says so
 * - `broken`: the service is not well, and repeating does not help
 * - `clashed`: the service is well and has undone the work because of somebody else's; repeating is safe
 * - `answered`: the service is well, the request is at fault
 * - `crowded`: our own pool is full; the service was not asked
 * - `foreign`: says nothing about the service (a bug of ours, the caller's abort)
 */
export type Verdict = 'refused' | 'lost' | 'broken' | 'clashed' | 'answered' | 'crowded' | 'foreign';

/** The breaker counts these. */
export function countsAsFailure(verdict: Verdict): boolean {
  return verdict === 'refused' || verdict === 'lost' || verdict === 'broken';
}

/** The breaker takes these for a success. */
export function provesLife(verdict: Verdict): boolean {
  return verdict === 'answered' || verdict === 'clashed';
}

/** Kinds that mean "later, perhaps": when they stay, the caller is told the service is unavailable. */
export function isTemporary(verdict: Verdict): boolean {
  return verdict === 'refused' || verdict === 'lost' || verdict === 'clashed' || verdict === 'crowded';
}

/** @param repeatable - whether doing it twice does no harm */
export function mayRepeat(verdict: Verdict, repeatable: boolean): boolean {
  return verdict === 'refused' || verdict === 'clashed' || (verdict === 'lost' && repeatable);
}
