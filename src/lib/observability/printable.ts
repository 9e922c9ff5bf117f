import { isSecretName, redactAndCut } from './redact.ts';

/** Bounds keep one strange value from flooding the log. */
const maxDepth = 6;
const maxEntries = 100;
const maxTextLength = 8_192;
/** In characters, of all texts together; a value without text counts as a few. */
const maxSize = 65_536;
const sizeOfValue = 8;

/** Where a value stands in the one that is printed, and how much more there may be of it. */
interface Place {
  readonly depth: number;
  readonly ancestors: readonly object[];
  readonly budget: { size: number };
}

/** Turns any value into one that JSON can hold: bounded, without cycles and without secrets. Never throws. */
export function printable(value: unknown): unknown {
  return print(value, { depth: 0, ancestors: [], budget: { size: maxSize } });
}

function print(value: unknown, place: Place): unknown {
  place.budget.size -= sizeOfValue;
  if (place.budget.size < 0) return '[too much]';
  if (typeof value === 'string') return boundedText(value, place.budget);
  if (typeof value === 'bigint' || typeof value === 'symbol') return boundedText(String(value), place.budget);
  if (typeof value === 'function') return '[function]';
  if (typeof value !== 'object' || value === null) return value;
  if (place.ancestors.includes(value)) return '[circular]';
  if (place.depth >= maxDepth) return '[too deep]';
  try {
    return printObject(value, { ...place, depth: place.depth + 1, ancestors: [...place.ancestors, value] });
  } catch {
    // A getter or proxy that throws must not break the work that only wanted to log.
    return '[unreadable]';
  }
}

function printObject(value: object, within: Place): unknown {
  if (value instanceof Error) return printError(value, within);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.slice(0, maxEntries).map((entry) => print(entry, within));
  if (value instanceof Set) return [...value.values().take(maxEntries)].map((entry) => print(entry, within));
  if (value instanceof Map) return printEntries([...value.entries().take(maxEntries)], within);
  return printEntries(Object.entries(value).slice(0, maxEntries), within);
}

/** Names are texts like any other: a map may have anything for a key. */
function printEntries(entries: readonly (readonly [key: unknown, entry: unknown])[], within: Place): object {
  return Object.fromEntries(
    entries.map(([key, entry]) => {
      const name = typeof key === 'string' ? key : String(print(key, within));
      return [boundedText(name, within.budget), isSecretName(name) ? '[redacted]' : print(entry, within)];
    }),
  );
}

/** Only these properties, never all: errors of SDKs carry whole requests. */
function printError(error: Error, within: Place): object {
  const { code } = error as { code?: unknown };
  return {
    name: print(error.name, within),
    code: typeof code === 'string' || typeof code === 'number' ? print(code, within) : undefined,
    message: print(error.message, within),
    stack: print(error.stack, within),
    cause: print(error.cause, within),
    errors: error instanceof AggregateError ? print(error.errors, within) : undefined,
  };
}

function boundedText(text: string, budget: Place['budget']): string {
  const bounded = redactAndCut(text, maxTextLength).slice(0, Math.max(0, budget.size));
  budget.size -= bounded.length;
  return bounded;
}

/** The first frame of a stack that lies in a file: its file without folders, and the line. */
const frame = /^\s{1,8}at .{0,300}?([\w.-]{1,100}\.[cm]?[jt]s:\d{1,7}):\d{1,7}\)?$/m;

/**
 * Where the error among printed fields was made, as `upload.ts:42`. Of other lines the place is not known: finding it would double
 * what a line costs (4 µs to 7 µs), and module and message, which is a constant, lead there just as well.
 */
export function placeOf(printed: unknown): string | undefined {
  const stack = (printed as { error?: { stack?: unknown } } | undefined)?.error?.stack;
  return typeof stack === 'string' ? frame.exec(stack)?.[1] : undefined;
}
