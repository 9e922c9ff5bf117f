import { AppError } from '../core/index.ts';
import { redactAndCut } from '../observability/index.ts';

/** Why an attempt failed, as it is kept with the job. */
export interface Failure {
  readonly code: string;
  /** What a client may be told, at most 500 characters. */
  readonly message: string;
  /** What an operator wants to know: the error with its causes, without secrets, at most 2,000 characters. */
  readonly detail: string;
}

const maxMessageLength = 500;
const maxDetailLength = 2_000;
/** An error that is its own cause would never end. */
const maxCauses = 8;
const codeForm = /^[a-z][a-z0-9_]{0,49}$/;

/** Describes any thrown value. Only an {@link AppError} holds words for clients. */
export function describeFailure(error: unknown): Failure {
  const code = (error as { code?: unknown } | undefined)?.code;
  return {
    code: typeof code === 'string' && codeForm.test(code) ? code : 'internal',
    message: storable(
      error instanceof AppError ? error.message : 'Something went wrong here; the log says what',
      maxMessageLength,
    ),
    detail: storable(causesOf(error).join(': '), maxDetailLength),
  };
}

/** Shortens a text to what the database can hold and a terminal may be shown, without secrets. */
export function storable(text: string, maxLength: number): string {
  return redactAndCut(text, maxLength)
    .replace(/[^\P{Cc}\n\t]/gu, '')
    .toWellFormed();
}

function causesOf(error: unknown): string[] {
  const words: string[] = [];
  for (let cause = error; cause !== undefined && words.length < maxCauses; ) {
    words.push(cause instanceof Error ? `${cause.name} ${cause.message}` : String(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return words;
}
