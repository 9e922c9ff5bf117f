import { type LogFields, lineOf, type Said } from './log-line.ts';
import { printable } from './printable.ts';

/** The longest text that is kept as it is, and the longest line that is kept whole. */
const longestPlainText = 256;
const longestKeptLine = 8_192;
/** What a field holds on to beside the characters of its text. */
const fieldSize = 32;

/** A line for later: the characters it holds on to, and what makes it. */
interface LineMemo {
  readonly size: number;
  line(): object;
}

/**
 * Remembers a line. Plain values cannot change any more, so their line is made only if somebody wants it (0.7 µs in place of 4).
 * Any other value is printed now, as it is now, and kept as text: as objects it would take many times its size.
 */
export function memoOf(said: Said): LineMemo {
  const plain = said.message.length <= longestPlainText ? plainFields(said.fields) : undefined;
  if (plain) return plainMemo(said, plain);
  const { message, fields, ...circumstances } = said;
  return printedMemo(circumstances, printedText(message, fields));
}

// Both by themselves: functions that are made in one place hold on to all that any of them needs.
function plainMemo(said: Said, { fields, size }: PlainFields): LineMemo {
  return { size: said.message.length + size, line: () => lineOf({ ...said, fields }) };
}

function printedMemo(circumstances: Omit<Said, 'message' | 'fields'>, text: string): LineMemo {
  return { size: text.length, line: () => lineOf({ ...circumstances, ...JSON.parse(text) }) };
}

/** What is cut was redacted before: half a secret is not known as one. */
function printedText(message: string, fields: LogFields): string {
  const shown = String(printable(message));
  const whole = JSON.stringify({ message: shown, fields: printable(fields) });
  if (whole.length <= longestKeptLine) return whole;
  return JSON.stringify({
    message: shown.slice(0, longestPlainText),
    fields: { fields: '[too much to keep]' },
  });
}

interface PlainFields {
  readonly fields: LogFields;
  readonly size: number;
}

/** A copy of the fields, when there are only short texts, numbers and the like among them. */
function plainFields(fields: LogFields): PlainFields | undefined {
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
