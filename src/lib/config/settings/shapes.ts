import * as z from 'zod';

/** A comma-separated list, trimmed, without empty entries. */
export const list = z.string().transform((text) =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ''),
);

export const flag = z.stringbool({ truthy: ['true', '1', 'yes', 'on'], falsy: ['false', '0', 'no', 'off'] });

export const storageConnectionString = z
  .string()
  .regex(
    /^UseDevelopmentStorage=true(?:;|$)|(?=.*AccountName=[^;]+)(?=.*AccountKey=[^;]+)/i,
    'must name an account and its key',
  );

/** The endpoint of one storage service, without a trailing slash; a token is never sent in the clear. */
export const serviceUri = z
  .url({ protocol: /^https$/, error: 'must be an https:// URL', abort: true })
  .refine(isEndpoint, 'must be an endpoint: no credentials, query or container')
  .transform((text) => new URL(text).href.replace(/\/+$/, ''));

/** The emulator has the account's name in the path. */
function isEndpoint(text: string): boolean {
  const { username, password, search, hash, pathname } = new URL(text);
  return `${username}${password}${search}${hash}` === '' && /^\/[^/]*\/?$/.test(pathname);
}

export function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
