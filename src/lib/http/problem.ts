import * as z from 'zod';
import { AppError, isAppError } from '../core/index.ts';
import { redactAndCut } from '../observability/index.ts';
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

/** Of the name of a field, and of a sentence: what clients make up may be of any length. */
const maxPathLength = 300;
const maxDetailLength = 1_000;

/**
 * What a client is told of anything that was thrown. What is not an {@link AppError} shows nothing of itself. Names of
 * fields are the client's own, and a secret that stands in the place of one is not repeated: problems get copied into
 * tickets and logs.
 */
export function toProblem(error: unknown, correlationId: string): z.infer<typeof problemShape> {
  const known = appErrorOf(error);
  return {
    type: `urn:crownsafe:problem:${known.code}`,
    title: known.title,
    status: known.status,
    detail: redactAndCut(known.message, maxDetailLength),
    code: known.code,
    correlation_id: correlationId,
    ...(known.errors && {
      errors: known.errors.map((field) => ({ ...field, path: redactAndCut(field.path, maxPathLength) })),
    }),
  };
}

/** Answers with the problem document of an error, and the headers that go with it. */
export function problemAnswer(error: unknown, correlationId: string): Answer {
  const { status, headers, retryAfterSeconds } = appErrorOf(error);
  return json(status, toProblem(error, correlationId), {
    ...headers,
    'content-type': 'application/problem+json',
    ...(retryAfterSeconds !== undefined && { 'retry-after': wholeSeconds(retryAfterSeconds) }),
  });
}

function appErrorOf(error: unknown): AppError {
  return isAppError(error) ? error : new AppError('internal', 'The error has been logged');
}

/** The header takes whole numbers only; 0 would mean "at once". */
function wholeSeconds(seconds: number): string {
  return String(Math.max(1, Math.ceil(seconds)));
}
