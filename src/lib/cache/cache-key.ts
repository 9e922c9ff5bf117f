import { createHash } from 'node:crypto';

declare const madeByCacheKey: unique symbol;

/** The key of a cached value; only {@link cacheKey} makes one. */
export type CacheKey = string & { readonly [madeByCacheKey]: true };

/** What a key is made of: what JSON can say. A property that is `undefined` is the same as none. */
export type KeyPart =
  | string
  | number
  | boolean
  | null
  | readonly KeyPart[]
  | { readonly [name: string]: KeyPart | undefined };

/** A key that is not longer stands as it is. */
const maxPlainLength = 200;
/** Leading parts of a longer key that stand as they are, so that it can be found by them. */
const maxPrefixLength = 128;

/**
 * Makes the key of a value from the parts that say which one it is: their JSON, each followed by a comma. The same parts
 * make the same key, whatever the order of properties; different ones never do. A key begins with the key of its leading
 * parts, as long as that has at most 128 characters. It has at most 200 characters: beyond that, parts are replaced by `~`
 * and their SHA-256.
 *
 * @example
 * cacheKey('report', 'upload-activity', { tz: 'UTC', from: '2026-01-01' })
 */
export function cacheKey(...parts: readonly [KeyPart, ...KeyPart[]]): CacheKey {
  const encoded = parts.map((part) => `${canonical(part)},`);
  const whole = encoded.join('');
  if (whole.length <= maxPlainLength) return whole as CacheKey;
  let plain = '';
  for (const part of encoded) {
    if (plain.length + part.length > maxPrefixLength) break;
    plain += part;
  }
  const rest = createHash('sha256').update(whole.slice(plain.length)).digest('hex');
  return `${plain}~${rest}` as CacheKey;
}

/** True when all keys of these and more parts begin with this one. */
export function isPrefix(key: CacheKey): boolean {
  return key.length <= maxPrefixLength && key.endsWith(',');
}

/** JSON with the properties in the order of their names. */
function canonical(part: KeyPart): string {
  if (typeof part === 'string') return JSON.stringify(part);
  if (typeof part !== 'object' || part === null) return String(part);
  if (isList(part)) return `[${part.map(canonical).join(',')}]`;
  const properties = Object.keys(part)
    .sort()
    .flatMap((name) => {
      const value = part[name];
      return value === undefined ? [] : [`${JSON.stringify(name)}:${canonical(value)}`];
    });
  return `{${properties.join(',')}}`;
}

/** `Array.isArray` does not narrow lists that are read-only. */
function isList(part: KeyPart): part is readonly KeyPart[] {
  return Array.isArray(part);
}
