import { type Attributes, context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

/**
 * Facts of a span. Names by the semantic conventions where these have one (https://opentelemetry.io/docs/specs/semconv/).
 * Few different values, no secrets and nothing about persons: spans are kept and searched.
 */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** The span that work runs in. */
export interface ActiveSpan {
  /** Notes facts that are known only now. */
  note(attributes: SpanAttributes): void;
}

/**
 * Runs work inside a span of its own, for a step that is worth seeing in a trace. Costs next to nothing while nobody
 * listens.
 *
 * @param name - of the kind of work, without ids or other values: those are attributes
 * @throws what `work` throws; its code is noted at the span
 */
export function withSpan<T>(
  name: string,
  attributes: SpanAttributes,
  work: (span: ActiveSpan) => Promise<T>,
): Promise<T> {
  return runInSpan(SpanKind.INTERNAL, name, attributes, work);
}

/** Like {@link withSpan}, for a call to another service. */
export function withClientSpan<T>(
  name: string,
  attributes: SpanAttributes,
  work: (span: ActiveSpan) => Promise<T>,
): Promise<T> {
  return runInSpan(SpanKind.CLIENT, name, attributes, work);
}

async function runInSpan<T>(
  kind: SpanKind,
  name: string,
  attributes: SpanAttributes,
  work: (span: ActiveSpan) => Promise<T>,
): Promise<T> {
  const span = ownTracer().startSpan(name, { kind, attributes: attributes as Attributes });
  const active: ActiveSpan = { note: (more) => void span.setAttributes(more as Attributes) };
  try {
    return await context.with(trace.setSpan(context.active(), span), () => work(active));
  } catch (error) {
    noteFailure(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** Makes all spans of the app itself. Asked for each time: a tracer that is kept stays with the provider it came from. */
export function ownTracer() {
  return trace.getTracer('crownsafe');
}

/** Whether work that begins now is recorded as part of something, so that it is worth preparing attributes for. */
export function isRecorded(): boolean {
  return trace.getActiveSpan()?.isRecording() === true;
}

/** Notes facts at the present span, where the code that made it cannot see them; nothing outside of a span. */
export function noteAtSpan(attributes: SpanAttributes): void {
  trace.getActiveSpan()?.setAttributes(attributes as Attributes);
}

/**
 * Marks a span as failed: by the code of the error, not by its message. Messages of drivers quote values, ours what a blob or
 * a part of a form is called; the log has them, redacted, under the same trace.
 */
export function noteFailure(span: Span, error: unknown): void {
  span.setAttribute('error.type', errorType(error));
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** What codes and names of errors look like; anything else could be a message. */
const typeShape = /^[\w.-]{1,100}$/;

/** A code if the error has one (an SQLSTATE, `BlobNotFound`, `ECONNREFUSED`, ours), else its name; a code may stand alone. */
function errorType(error: unknown): string {
  const { code, name } = (error instanceof Error ? error : { code: error }) as Partial<
    Record<string, unknown>
  >;
  const type = typeof code === 'string' || typeof code === 'number' ? String(code) : name;
  return typeof type === 'string' && typeShape.test(type) ? type : '_OTHER';
}
