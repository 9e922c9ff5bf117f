import * as z from 'zod';
import { AppError } from '../core/index.ts';
import { type Answer, json } from './answer.ts';

/** A problem document (RFC 9457). */
export const problemShape = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  correlation_id: z.string(),
  errors: z
    .array(z.strictObject({ path: z.string(), message: z.string(), code: z.string() }))
    .readonly()
    .optional(),
});

/** What a client is told of an error. */
export function problemDocument(error: AppError, correlationId: string): z.infer<typeof problemShape> {
  return {
    type: `urn:crownsafe:problem:${error.code}`,
    title: error.title,
    status: error.status,
    detail: error.message,
    code: error.code,
    correlation_id: correlationId,
    ...(error.errors && { errors: error.errors.map((field) => ({ ...field })) }),
  };
}

/** Renders an error as a problem document. Anything that is not an {@link AppError} shows nothing of itself. */
export function problemAnswer(error: unknown, correlationId: string): Answer {
  const known = error instanceof AppError ? error : new AppError('internal', 'The error has been logged');
  const retryAfter = known.retryAfterSeconds;
  return json(known.status, problemDocument(known, correlationId), {
    ...known.headers,
    'content-type': 'application/problem+json',
    ...(retryAfter !== undefined && { 'retry-after': String(Math.max(1, Math.ceil(retryAfter))) }),
  });
}
