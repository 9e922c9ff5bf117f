import { LocalError } from '../../local/local-error.ts';
import { innermostWords } from './innermost-words.ts';
import type { Waiting } from './poll.ts';

/** The answer to one request. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The body, when it is JSON; else `undefined`. */
  readonly json: unknown;
}

/**
 * Sends one request with JSON in it or without a body. Redirects are not followed: the request carries a credential.
 *
 * @returns the answer, or why there is none
 */
export async function request(
  method: string,
  url: string,
  { headers = {}, body, signal }: RequestOptions,
): Promise<Answer | Waiting> {
  const content = body === undefined ? {} : { 'content-type': 'application/json' };
  const init = { method, headers: { ...headers, ...content }, signal, redirect: 'manual' } as const;
  try {
    const response = await fetch(url, body === undefined ? init : { ...init, body: JSON.stringify(body) });
    const text = await response.text();
    return { status: response.status, text, json: parsed(text) };
  } catch (error) {
    return { waitFor: `${new URL(url).host} to answer (${whyNot(error)})` };
  }
}

interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function whyNot(error: unknown): string {
  const isLate = error instanceof Error && 'code' in error && error.code === 'deadline_exceeded';
  return isLate ? 'nothing came in time' : innermostWords(error);
}

/** What an answer says, short enough for a terminal. */
export function excerpt({ status, text }: Answer): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return `${status} ${line.length > 300 ? `${line.slice(0, 300)}…` : line}`.trim();
}

/** An address without a slash at its end; credentials go only over TLS. */
export function httpsAddress(name: string, address: string): string {
  if (!/^https:\/\/[^/]/.test(address))
    throw new LocalError(`${name} is not an https:// address: ${address}`);
  return address.replace(/\/+$/, '');
}
