import { type Attributes, context, type SpanContext, SpanKind, trace } from '@opentelemetry/api';
import { noteFailure, ownTracer, type SpanAttributes } from './spans.ts';
import { readTraceHeaders, type TraceHeaders } from './trace-context.ts';

/** What starts an invocation, in the words of https://opentelemetry.io/docs/specs/semconv/faas/faas-spans/ */
type Trigger = 'http' | 'pubsub' | 'timer';

interface InvocationSpanOptions {
  readonly trigger: Trigger;
  readonly name: string;
  readonly correlationId: string;
  readonly attributes: SpanAttributes;
  /** The host's own span of this invocation; left out where the host makes none. */
  readonly host?: TraceHeaders | undefined;
  /** The request or message that caused this invocation. */
  readonly cause?: TraceHeaders | undefined;
}

/** The span around one invocation. */
export interface InvocationSpan {
  /** Runs work inside the span. */
  run<T>(work: () => T): T;
  /** @param error - given when the invocation failed, not when it only refused something */
  end(attributes?: SpanAttributes, error?: unknown): void;
}

const kinds: Readonly<Record<Trigger, SpanKind>> = {
  http: SpanKind.SERVER,
  pubsub: SpanKind.CONSUMER,
  timer: SpanKind.INTERNAL,
};

/**
 * Starts the span of an invocation.
 *
 * Where the host has a span of its own, that one is the request (`telemetryMode` in host.json), and ours is what happens
 * inside of it: as a second server span it would count every request twice.
 *
 * A request goes on in the host's span, which continues the caller's. A message goes on in the trace of the request that
 * sent it, so that one backup is one trace from its request to its end; the host knows nothing of that trace, so its span
 * becomes a link.
 */
export function startInvocationSpan(options: InvocationSpanOptions): InvocationSpan {
  const { trigger, name, correlationId, attributes } = options;
  const host = options.host && readTraceHeaders(options.host);
  const cause = options.cause && readTraceHeaders(options.cause);
  const parent = trigger === 'http' ? (host ?? cause) : (cause ?? host);
  const span = ownTracer().startSpan(
    name,
    {
      kind: host ? SpanKind.INTERNAL : kinds[trigger],
      attributes: { ...attributes, 'faas.trigger': trigger, correlation_id: correlationId } as Attributes,
      links: host && host !== parent ? [{ context: host }] : [],
    },
    within(parent),
  );
  const inside = trace.setSpan(context.active(), span);
  return {
    run: (work) => context.with(inside, work),
    end(more = {}, error) {
      span.setAttributes(more as Attributes);
      if (error !== undefined) noteFailure(span, error);
      span.end();
    },
  };
}

/** An invocation never belongs to what happened to be going on when it came. */
function within(parent: SpanContext | undefined) {
  const outside = trace.deleteSpan(context.active());
  return parent ? trace.setSpanContext(outside, parent) : outside;
}
