/**
 * What really happened, in words: it lies under what each layer has made of it. An attempt at several addresses that all
 * failed has none, only a code.
 */
export function innermostWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return innermostWords(error.cause);
  return error.message || ('code' in error ? String(error.code) : error.name);
}
