import { AsyncLocalStorage } from 'node:async_hooks';
import { trace, context as tracing } from '@opentelemetry/api';
import { newId } from '../core/index.ts';
import type { InvocationSpan } from './invocation-span.ts';
import type { LogLevel } from './log-level.ts';
import { redactText } from './redact.ts';

/** What is known of the invocation that is being worked on; it reaches every log line and outgoing call. */
export interface InvocationContext {
  readonly correlationId: string;
  readonly functionName: string;
  /** The platform's id of this invocation. */
  readonly requestId: string;
  /** Where the request comes from; personal data, so it is on no log line and no span. `undefined` where there is no client. */
  readonly clientAddress?: string | undefined;
  /** Set when the caller is known. */
  userId?: string;
  /** What it acts on, as `files/<id>`; every line from then on carries it. */
  resource?: string | undefined;
  /** The platform's own log of this invocation; `undefined` once the invocation has ended, when it would only warn. */
  write: ((level: LogLevel, line: string) => void) | undefined;
  /** The span around the invocation; left out where nothing is traced. */
  readonly span?: InvocationSpan;
}

const storage = new AsyncLocalStorage<InvocationContext>();

/** Runs `work`, and everything it awaits, in the given context. */
export function runInContext<T>(context: InvocationContext, work: () => T): T {
  const run = () => storage.run(context, work);
  return context.span ? context.span.run(run) : run();
}

/** Begins what an invocation only happens to bring about, and does not answer for: its lines and spans are its own. */
export function outsideOfInvocations<T>(work: () => T): T {
  // Not in the root context: what is brought about by sending spans must make none.
  return storage.exit(() => tracing.with(trace.deleteSpan(tracing.active()), work));
}

/** The context of the present invocation, if there is one. */
export function currentContext(): InvocationContext | undefined {
  return storage.getStore();
}

const maxResourceLength = 200;

/** Tells what the present invocation acts on, where its address does not: `nameResource('files', id)`. */
export function nameResource(...segments: readonly string[]): void {
  const context = currentContext();
  if (context) context.resource = resourceName(segments);
}

/** A name for {@link InvocationContext.resource}; its parts may come from a client. */
export function resourceName(segments: readonly string[]): string {
  return redactText(segments.join('/')).slice(0, maxResourceLength);
}

const wellFormed = /^[A-Za-z0-9][A-Za-z0-9._-]{7,127}$/;
// https://www.w3.org/TR/trace-context/#traceparent-header
const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * Chooses the correlation id of a request: what the client sent if it is well formed, else a new one. A malformed
 * id is never echoed, it could carry anything into logs; nor is one that looks like a credential.
 */
export function chooseCorrelationId(header: (name: string) => string | undefined): string {
  for (const name of ['x-correlation-id', 'x-request-id']) {
    const value = header(name);
    if (value && wellFormed.test(value) && redactText(value) === value) return value;
  }
  const traceId = traceparent.exec(header('traceparent') ?? '')?.[1];
  return traceId ?? newId();
}
