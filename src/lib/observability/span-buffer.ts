import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

/** Finished spans that wait to be sent, oldest first; bounded, because where they go may be away for hours. */
export interface SpanBuffer {
  /** False when there was no room and the span is lost. */
  add(span: ReadableSpan): boolean;
  /** Takes the oldest out, as many as go into one request. */
  takeBatch(): ReadableSpan[];
  readonly size: number;
}

/** `OTEL_BSP_MAX_QUEUE_SIZE` and `OTEL_BSP_MAX_EXPORT_BATCH_SIZE` of the specification: about 4 MB, and half a megabyte. */
const maxSpans = 2_048;
export const maxBatchSpans = 512;

/** Makes a buffer. */
export function createSpanBuffer(): SpanBuffer {
  let spans: ReadableSpan[] = [];
  return {
    add(span) {
      if (spans.length >= maxSpans) return false;
      spans.push(span);
      return true;
    },
    takeBatch() {
      const batch = spans.slice(0, maxBatchSpans);
      spans = spans.slice(maxBatchSpans);
      return batch;
    },
    get size() {
      return spans.length;
    },
  };
}
