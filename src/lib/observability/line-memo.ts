import { type LogFields, lineOf, type Said } from './log-line.ts';

/** The longest text that is kept as it is, and the longest line that is kept whole. */
const longestPlainText = 256;
const longestKeptLine = 8_192;
/** What a field holds on to beside the characters of its text. */
const fieldSize = 32;

/**
 * A line for later, in characters and as a function that makes it. Plain values cannot change any more, so their line is made
 * only if somebody wants it (0.2 µs in place of 8). Any other value is printed now, as it is now, and not held on to.
 */
export function memoOf(said: Said): { readonly size: number; readonly line: () => object } {
  const plain = plainFields(said.fields);
  if (plain && said.message.length <= longestPlainText) {
    return { size: said.message.length + plain.size, line: () => lineOf({ ...said, fields: plain.fields }) };
  }
  const whole = lineOf(said);
  const size = JSON.stringify(whole).length;
  if (size <= longestKeptLine) return { size, line: () => whole };
  const short = {
    ...said,
    message: said.message.slice(0, longestPlainText),
    fields: { fields: '[too much to keep]' },
  };
  return { size: 2 * longestPlainText, line: () => lineOf(short) };
}

/** A copy of the fields, when there are only short texts, numbers and the like among them. */
function plainFields(fields: LogFields): { readonly fields: LogFields; readonly size: number } | undefined {
  const copy: Record<string, unknown> = {};
  let size = 0;
  try {
    for (const name of Object.keys(fields)) {
      const value = fields[name];
      if (typeof value === 'function' || (typeof value === 'object' && value !== null)) return undefined;
      if (typeof value === 'string' && value.length > longestPlainText) return undefined;
      copy[name] = value;
      size += fieldSize + (typeof value === 'string' ? value.length : 0);
    }
  } catch {
    // A getter that throws; what can be printed of it is.
    return undefined;
  }
  return { fields: copy, size };
}
