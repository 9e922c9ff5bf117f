import { isSecretName, redactText } from './redact.ts';

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
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
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
  const entries = Object.entries(value).slice(0, maxEntries);
  return Object.fromEntries(
    entries.map(([name, entry]) => [name, isSecretName(name) ? '[redacted]' : print(entry, within)]),
  );
}

/** Only these properties, never all: errors of SDKs carry whole requests. */
function printError(error: Error, within: Place): object {
  const { code } = error as { code?: unknown };
  return {
    name: print(error.name, within),
    code: typeof code === 'string' || typeof code === 'number' ? code : undefined,
    message: print(error.message, within),
    stack: print(error.stack, within),
    cause: print(error.cause, within),
    errors: error instanceof AggregateError ? print(error.errors, within) : undefined,
  };
}

/** Redacts some way beyond the cut, so that a secret that is cut in two is still known as one. */
function boundedText(text: string, budget: Place['budget']): string {
  const bounded = redactText(text.slice(0, 2 * maxTextLength)).slice(0, Math.min(maxTextLength, budget.size));
  budget.size -= bounded.length;
  return bounded;
}
