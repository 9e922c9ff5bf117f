import { createHash } from 'node:crypto';

/** What proves that an answer is whole. */
export interface Summary {
  readonly rows: number;
  /** SHA-256 of all bytes before the summary, in lower-case hex. */
  readonly sha256: string;
}

/** Counts and hashes what goes out. */
export interface Tally {
  add(text: string, rows: number): void;
  /** Ends the tally. */
  summary(): Summary;
}

export function startTally(): Tally {
  const hash = createHash('sha256');
  let total = 0;
  return {
    add(text, rows) {
      hash.update(text);
      total += rows;
    },
    summary: () => ({ rows: total, sha256: hash.digest('hex') }),
  };
}
