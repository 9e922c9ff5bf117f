import type { Readable } from 'node:stream';

/** Response headers by lower-case name. */
export type AnswerHeaders = Readonly<Record<string, string>>;

/** What a handler answers when a plain value for the declared status does not say everything. */
export class Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** A value becomes JSON, a text or stream goes out as it is. */
  readonly body: AnswerBody;

  constructor(status: number, body: AnswerBody, headers: AnswerHeaders = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

export type AnswerBody =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'text'; readonly text: string; readonly contentType: string }
  | { readonly kind: 'stream'; readonly stream: Readable }
  | { readonly kind: 'none' };

/** JSON with the given status. */
export function json(status: number, value: unknown, headers?: AnswerHeaders): Answer {
  return new Answer(status, { kind: 'json', value }, headers);
}

/** Text of another type than JSON. */
export function text(contentType: string, body: string, headers?: AnswerHeaders): Answer {
  return new Answer(200, { kind: 'text', text: body, contentType }, headers);
}

/** Bytes as they come; the transfer breaks if the stream fails. */
export function streaming(status: number, stream: Readable, headers: AnswerHeaders): Answer {
  return new Answer(status, { kind: 'stream', stream }, headers);
}

/** No body. */
export function empty(status: number, headers?: AnswerHeaders): Answer {
  return new Answer(status, { kind: 'none' }, headers);
}
