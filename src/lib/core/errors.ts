import { type ProblemCode, problems } from './problems.ts';

/** One refused field of a request. `path` is dotted, `code` a stable word. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
  readonly code: string;
}

interface AppErrorOptions {
  readonly cause?: unknown;
  readonly errors?: readonly FieldError[];
  /** Extra response headers, for example `content-range` of a 416. */
  readonly headers?: Readonly<Record<string, string>>;
  /** By default {@link defaultRetryAfterSeconds}, where the status asks for one. */
  readonly retryAfterSeconds?: number;
}

/** Statuses that tell a client to come back, so they also say when (RFC 9110 §10.2.3, RFC 6585 §4). */
const statusesWithRetryAfter: readonly number[] = [429, 503];
/** Long enough for a restart or a failover to get somewhere, short enough for somebody who waits. */
const defaultRetryAfterSeconds = 5;

/**
 * An error a client may be told about. `detail` is shown to the client, so it never holds internals; what an
 * operator needs goes into `cause`.
 */
export class AppError extends Error {
  override readonly name = 'AppError' as const;
  readonly code: ProblemCode;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ProblemCode, detail: string, options: AppErrorOptions = {}) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
    const asks = statusesWithRetryAfter.includes(this.status);
    this.retryAfterSeconds = options.retryAfterSeconds ?? (asks ? defaultRetryAfterSeconds : undefined);
  }

  get status(): number {
    return problems[this.code][0];
  }

  get title(): string {
    return problems[this.code][1];
  }
}

/** Narrows an unknown thrown value to an {@link AppError}, optionally of one code. */
export function isAppError(error: unknown, code?: ProblemCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}
