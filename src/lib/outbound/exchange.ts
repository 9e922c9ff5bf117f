import type { IncomingHttpHeaders } from 'node:http';
import type { Agent, Dispatcher } from 'undici';
import { OutboundError } from './errors.ts';

/** One request as it goes out. */
export interface Outgoing {
  readonly url: URL;
  readonly method: Dispatcher.HttpMethod;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
  /** Largest body of an answer. */
  readonly maxAnswerBytes: number;
}

/** What a host has answered. */
export interface OutboundAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As it was sent: nothing is decompressed. */
  readonly body: Buffer;
}

/** Answers that say "later" or "not well"; what they say of a retry is known to the policy. */
const laterStatuses = [408, 425, 429];

/**
 * One try: from the connection to the last byte of the answer. It has no time limit of its own.
 *
 * @throws OutboundError for an answer that is a failure, too large or no HTTP; errors of Node.js and undici for all else
 */
export async function exchange(
  agent: Agent,
  request: Outgoing,
  signal: AbortSignal,
): Promise<OutboundAnswer> {
  const { url, method, headers, body, maxAnswerBytes } = request;
  try {
    const answer = await agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method,
      headers,
      ...(body !== undefined && { body }),
      signal,
    });
    const { statusCode: status } = answer;
    if (status >= 500 || laterStatuses.includes(status)) throw await failedAnswer(answer);
    return { status, headers: answer.headers, body: await readBody(answer, maxAnswerBytes) };
  } catch (error) {
    // The parser's own error carries what the host has sent.
    if (isParserError(error)) throw new OutboundError('answer_malformed', 'The answer is not HTTP');
    throw error;
  }
}

/** Lets the body go by, so that the connection serves the next call; a long one is not worth it and is cut off. */
async function failedAnswer({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<OutboundError> {
  await body.dump();
  const retryAfter = headers['retry-after'];
  return new OutboundError('answer_failed', `The answer has the status ${statusCode}`, {
    statusCode,
    ...(typeof retryAfter === 'string' && { retryAfter }),
  });
}

async function readBody({ statusCode, body }: Dispatcher.ResponseData, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  // Leaving the loop early ends the connection.
  for await (const chunk of body as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) {
      throw new OutboundError('answer_too_large', `The answer is larger than ${maxBytes} bytes`, {
        statusCode,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, sizeBytes);
}

function isParserError(error: unknown): boolean {
  return error instanceof Error && error.name === 'HTTPParserError';
}
