/** Receives one line of the app or of the host that serves it. */
export type Log = (level: string, message: string) => void;

interface LogPrinterOptions {
  /** Short lines for people, in place of JSON for machines. */
  readonly readable: boolean;
  readonly write: (text: string) => void;
}

/** Fields that stand elsewhere in a readable line, or that only machines need. */
const hiddenFields = [
  'timestamp',
  'level',
  'logger',
  'message',
  'module',
  'request_id',
  'correlation_id',
  'error',
];
const longestValue = 80;

/**
 * Prints what the app and its host log. The app's lines are JSON already. What the host says of every single
 * invocation is left out: the app logs its requests itself.
 */
export function logPrinter({ readable, write }: LogPrinterOptions): Log {
  return (level, message) => {
    const line = parseLine(message);
    if (line === undefined && (level === 'debug' || level === 'information')) return;
    const entry = line ?? { timestamp: new Date().toISOString(), level, logger: 'host', message };
    write(readable ? `${readableLine(entry)}\n` : `${JSON.stringify(entry)}\n`);
  };
}

type LogEntry = Readonly<Record<string, unknown>>;

function parseLine(text: string): LogEntry | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readableLine(entry: LogEntry): string {
  const time = new Date(String(entry['timestamp'])).toLocaleTimeString('sv-SE');
  // The client was shown its correlation id with the problem, and may come with it.
  const shown = isProblem(entry) ? 'correlation_id' : undefined;
  const fields = Object.entries(entry)
    .filter(([name]) => name === shown || !hiddenFields.includes(name))
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${name}=${shortValue(value)}`);
  const start = `${time} ${String(entry['level']).padEnd(7)} ${entry['message']}`;
  return [start, ...fields].join('  ') + readableError(entry);
}

function isProblem({ status }: LogEntry): boolean {
  return typeof status === 'number' && status >= 400;
}

function shortValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}

/** Where it happened matters for what is logged as an error; a warning is understood from its first line. */
function readableError({ level, error }: LogEntry): string {
  if (typeof error !== 'object' || error === null) return '';
  const { stack, message } = error as { stack?: unknown; message?: unknown };
  const lines = String(stack ?? message).split('\n');
  return (level === 'error' ? lines : lines.slice(0, 1)).map((line) => `\n  ${line}`).join('');
}
