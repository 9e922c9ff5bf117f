import {
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type SpanContext,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';

/** Where work stands in a trace, as headers and messages carry it: https://www.w3.org/TR/trace-context/ */
export interface TraceHeaders {
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
}

export const w3cPropagator = new W3CTraceContextPropagator();

const getter: TextMapGetter<TraceHeaders> = {
  get: (carrier, key) => (key === 'traceparent' || key === 'tracestate' ? carrier[key] : undefined),
  keys: (carrier) => Object.keys(carrier),
};

/** Reads where a caller stands in its trace; whatever is malformed counts as not sent. */
export function readTraceHeaders(headers: TraceHeaders): SpanContext | undefined {
  return trace.getSpanContext(w3cPropagator.extract(ROOT_CONTEXT, headers, getter));
}

/** Headers that carry the present trace on to another service or into a message; empty outside of a trace. */
export function propagationHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  w3cPropagator.inject(context.active(), headers, {
    set(carrier, name, value) {
      carrier[name] = value;
    },
  });
  return headers;
}

/** The ids of the present span; `undefined` outside of a trace. */
export function currentTrace(): { readonly traceId: string; readonly spanId: string } | undefined {
  const present = trace.getActiveSpan()?.spanContext();
  return present && isSpanContextValid(present) ? present : undefined;
}
