import { currentContext, type InvocationContext } from './correlation.ts';

/** A line that is too detailed for the log, kept until its invocation has ended. */
export interface KeptLine {
  /** Characters it holds on to, at least. */
  readonly size: number;
  /** Writes it with these fields beside its own. */
  write(fields: { readonly dropped_lines?: number }): void;
}

/*
 * Per invocation. An upload writes about ten such lines, a backup a few per table; what fails is understood from the newest. Ten take
 * 5 KiB, a full buffer 100 KiB (of texts that are not Latin 150 KiB): of 500 invocations at once 2 MiB, at worst 75 MiB (measured).
 */
const maxLines = 100;
const maxSize = 65_536;

interface Buffer {
  readonly lines: KeptLine[];
  size: number;
  dropped: number;
}

const buffers = new WeakMap<InvocationContext, Buffer>();

/** Keeps a line of the given invocation; the oldest ones give way. */
export function keepLine(context: InvocationContext, line: KeptLine): void {
  const buffer = buffers.get(context) ?? { lines: [], size: 0, dropped: 0 };
  buffers.set(context, buffer);
  buffer.lines.push(line);
  buffer.size += line.size;
  while (buffer.lines.length > maxLines || buffer.size > maxSize) {
    buffer.size -= buffer.lines.shift()?.size ?? 0;
    buffer.dropped++;
  }
}

/**
 * Writes, in their order and with their own times, the lines that were kept of the present invocation. Call it right before the
 * line that tells of its failure; the lines of an invocation that succeeds are forgotten with it.
 */
export function writeKeptLines(): void {
  const context = currentContext();
  const buffer = context && buffers.get(context);
  if (!buffer) return;
  buffers.delete(context);
  for (const [index, line] of buffer.lines.entries())
    line.write(index === 0 && buffer.dropped > 0 ? { dropped_lines: buffer.dropped } : {});
}
