import { isList, isValues, Lambda, listOf, textOf, type Value } from './values.ts';

type Functions = Readonly<Record<string, (...args: Value[]) => Value>>;

const applied = (list: Value | undefined, by: Value | undefined): [Value, Value][] => {
  if (!(by instanceof Lambda)) throw new Error('expected a function');
  return listOf(list).map((item) => [item, by.apply(item)]);
};

/** The functions of the language that the templates use. Where Azure would make something up, a recognizable text stands. */
export const functions: Functions = {
  concat: (...lists) => lists.flatMap((list) => listOf(list)),
  empty: (value) =>
    (isValues(value) ? Object.keys(value) : isList(value) ? value : textOf(value)).length === 0,
  environment: () => ({ suffixes: { storage: 'core.windows.net' } }),
  filter: (list, by) => applied(list, by).flatMap(([item, keep]) => (keep === true ? [item] : [])),
  guid: (...parts) => `guid(${parts.map(textOf).join(' ')})`,
  join: (list, separator) => listOf(list).map(textOf).join(textOf(separator)),
  map: (list, by) => applied(list, by).map(([, result]) => result),
  parseCidr: (range) => parseCidr(textOf(range)),
  skip: (list, count) => listOf(list).slice(Number(count)),
  split: (text, separator) => textOf(text).split(textOf(separator)),
  string: (value) => textOf(value),
  subscription: () => ({ id: '/subscriptions/subscription-id' }),
  subscriptionResourceId: (type, id) =>
    `/subscriptions/subscription-id/providers/${textOf(type)}/${textOf(id)}`,
  take: (list, count) => listOf(list).slice(0, Number(count)),
  tenant: () => ({ tenantId: 'tenant-id' }),
  toObject: (list, key, value) => {
    const values = applied(list, value).map(([, result]) => result);
    return Object.fromEntries(
      applied(list, key).map(([, name], index) => [textOf(name), values[index] ?? null]),
    );
  },
  toLower: (text) => textOf(text).toLowerCase(),
  trim: (text) => textOf(text).trim(),
  union: (...objects) => Object.assign({}, ...objects.map((object) => (isValues(object) ? object : {}))),
  uniqueString: () => 'abcdefghijklm',
};

/** First and last address of a network in CIDR notation. */
function parseCidr(range: string): { network: string; broadcast: string } {
  const [address = '', bits = ''] = range.split('/');
  const parts = address.split('.').map(Number);
  if (parts.length !== 4 || !/^\d+$/.test(bits)) throw new Error(`${range} is no network in CIDR notation`);
  const size = 2 ** (32 - Number(bits));
  const number = parts.reduce((sum, part) => sum * 256 + part, 0);
  const first = Math.floor(number / size) * size;
  return { network: dotted(first), broadcast: dotted(first + size - 1) };
}

function dotted(number: number): string {
  return [2 ** 24, 2 ** 16, 2 ** 8, 1].map((unit) => Math.floor(number / unit) % 256).join('.');
}
