import { AppError } from '../core/index.ts';
import { type Answer, json } from './answer.ts';

/** Renders an error as a problem document (RFC 9457). Anything that is not an {@link AppError} shows nothing of itself. */
export function problemAnswer(error: unknown, correlationId: string): Answer {
  const known = error instanceof AppError ? error : new AppError('internal', 'The error has been logged');
  const retryAfter = known.retryAfterSeconds;
  return json(
    known.status,
    {
      type: `urn:crownsafe:problem:${known.code}`,
      title: known.title,
      status: known.status,
      detail: known.message,
      code: known.code,
      correlation_id: correlationId,
      ...(known.errors && { errors: known.errors }),
    },
    {
      ...known.headers,
      'content-type': 'application/problem+json',
      ...(retryAfter !== undefined && { 'retry-after': String(Math.max(1, Math.ceil(retryAfter))) }),
    },
  );
}
