/** A failure whose message is a whole sentence for the person at the terminal: what is wrong, and what to do about it. */
export class LocalError extends Error {
  override readonly name = 'LocalError';
  readonly code = 'local_setup';
}
