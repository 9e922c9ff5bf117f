import { redactText } from '../lib/observability/index.ts';

/**
 * What went wrong, and of what that came: the words for a client alone would not tell an operator what to mend. A stack
 * would say no more, and connection strings must not show.
 */
export function describeFailure(error: unknown): string {
  return redactText(wordsOf(error));
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : wordsOf(error.cause);
  // An attempt at several addresses that all failed has no words of its own, only a code.
  const words = error.message || ('code' in error ? String(error.code) : error.name);
  return cause === '' || words.includes(cause) ? words : `${words}: ${cause}`;
}
