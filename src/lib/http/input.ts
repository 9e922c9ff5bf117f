import type { IncomingMessage } from 'node:http';
import * as z from 'zod';
import { AppError, type FieldError } from '../core/index.ts';
import type { Endpoint } from './endpoint.ts';
import { checkJsonBounds } from './json-bounds.ts';

/** Largest JSON body; the largest legitimate one is a hundred times smaller. */
const maxJsonBytes = 2 ** 20;

/** Nobody reads more, and an answer must not be a hundred times as large as its request. */
const maxErrors = 100;

/** The checked parts of a request. */
export interface Input {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/**
 * Reads and checks route parameters, query and body as the endpoint declares them, all from the message on the wire.
 *
 * @throws AppError `not_found` for a malformed route parameter, `validation_failed`, `malformed_body`,
 *   `unsupported_media_type` or `body_too_large`
 */
export async function readInput(endpoint: Endpoint, request: IncomingMessage): Promise<Input> {
  const target = splitTarget(request.url ?? '/');
  const params = readParams(endpoint, target.path);
  const query = readQuery(endpoint.query, target.query);
  const body = endpoint.body ? await readJson(endpoint.body, request) : undefined;
  return { params, query, body };
}

function splitTarget(url: string): { path: string; query: string } {
  const mark = url.indexOf('?');
  return mark < 0 ? { path: url, query: '' } : { path: url.slice(0, mark), query: url.slice(mark + 1) };
}

function readParams(endpoint: Endpoint, path: string): unknown {
  if (!endpoint.params) return undefined;
  const values = decodePath(path);
  const parameters: Record<string, string> = {};
  for (const [index, segment] of endpoint.route.split('/').entries()) {
    const name = /^\{(\w+)\}$/.exec(segment)?.[1];
    if (name) parameters[name] = values[index] ?? '';
  }
  const parsed = endpoint.params.safeParse(parameters);
  if (!parsed.success) throw new AppError('not_found', 'There is nothing at this address');
  return parsed.data;
}

function decodePath(path: string): string[] {
  try {
    return path
      .replace(/^\/|\/$/g, '')
      .split('/')
      .map(decodeURIComponent);
  } catch (cause) {
    throw new AppError('not_found', 'There is nothing at this address', { cause });
  }
}

/** A parameter that is given twice has no one meaning, so it is refused; unknown ones are refused by the schema. */
function readQuery(schema: z.ZodType | undefined, query: string): unknown {
  const values: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(query)) {
    // Schemas of free names would drop this one in silence.
    if (name === '__proto__') throw invalid([{ path: name, message: 'is not known here', code: 'unknown' }]);
    if (name in values) throw invalid([{ path: name, message: 'is given more than once', code: 'repeated' }]);
    values[name] = value;
  }
  return validate(schema ?? noParameters, { ...values });
}

const noParameters = z.strictObject({});

async function readJson(schema: z.ZodType, request: IncomingMessage): Promise<unknown> {
  const { bytes, exceeded } = await readBody(request, maxJsonBytes);
  if (exceeded) throw new AppError('body_too_large', `The body is larger than ${maxJsonBytes} bytes`);
  if (bytes.length === 0) return validate(schema, undefined);
  const mediaType = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (mediaType !== 'application/json') {
    throw new AppError('unsupported_media_type', 'Send the body as application/json');
  }
  checkJsonBounds(bytes);
  return validate(schema, parseJson(bytes));
}

/**
 * Reads a body into memory, and stops as soon as it exceeds the limit.
 *
 * @throws AppError `malformed_body` when it breaks off
 */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<{ readonly bytes: Buffer; readonly exceeded: boolean }> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    // Leaving the loop early would otherwise destroy the connection that the refusal is sent on.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      chunks.push(chunk);
      if (sizeBytes > maxBytes) break;
    }
  } catch (cause) {
    throw new AppError('malformed_body', 'The body ended before its end', { cause });
  }
  return { bytes: Buffer.concat(chunks), exceeded: sizeBytes > maxBytes };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new AppError('malformed_body', 'The body is not valid JSON in UTF-8', { cause });
  }
}

/**
 * Checks a value against a schema.
 *
 * @param within - path of the value in the request, where it is a part of it
 * @throws AppError `validation_failed` that lists the refused fields, the first hundred of them
 */
export function validate<S extends z.ZodType>(schema: S, value: unknown, within?: string): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.flatMap((issue) =>
    fieldErrors(issue, within === undefined ? [] : [within]),
  );
  throw invalid(errors.slice(0, maxErrors));
}

/** A `validation_failed` with its list of fields; its words are those of the first one. */
export function invalid(errors: readonly FieldError[], cause?: unknown): AppError {
  const [first] = errors;
  const detail = first ? `${first.path || 'body'}: ${first.message}` : 'The request is not valid';
  return new AppError('validation_failed', detail, { errors, cause });
}

/** One error for each unknown field, so that each has its own path. */
function fieldErrors(issue: z.core.$ZodIssue, within: readonly string[]): FieldError[] {
  const at = (...more: string[]) => [...within, ...issue.path.map(String), ...more].join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: at(key), message: 'is not known here', code: 'unknown' }));
  }
  const missing = issue.code === 'invalid_type' && issue.message.includes('received undefined');
  return [
    { path: at(), message: missing ? 'is required' : issue.message, code: missing ? 'required' : issue.code },
  ];
}
