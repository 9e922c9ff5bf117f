/**
 * - `destination_refused`: not called, because it may not be
 * - `request_too_large`: not sent
 * - `answer_failed`: answered with a status that says "not now" or "not well"
 * - `answer_too_large`: the answer has more bytes than the caller reads
 * - `answer_malformed`: what came back is not HTTP
 */
export type OutboundErrorCode =
  | 'destination_refused'
  | 'request_too_large'
  | 'answer_failed'
  | 'answer_too_large'
  | 'answer_malformed';

/** A call that has come to nothing. Never holds a path, a query, or anything that a stranger has answered. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError' as const;
  readonly code: OutboundErrorCode;
  /** Of the answer, where there was one; judged by the policy. */
  readonly statusCode: number | undefined;
  /** In the form in which the policy looks for `Retry-After`. */
  readonly response: { readonly headers: ReadonlyMap<string, string> };

  constructor(
    code: OutboundErrorCode,
    message: string,
    answer: { readonly statusCode?: number; readonly retryAfter?: string } = {},
  ) {
    super(message);
    const { statusCode, retryAfter } = answer;
    this.code = code;
    this.statusCode = statusCode;
    this.response = { headers: new Map(retryAfter === undefined ? [] : [['retry-after', retryAfter]]) };
  }
}
