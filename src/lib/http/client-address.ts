import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';

/**
 * The address a request comes from: the entry of `x-forwarded-for` that the outermost of our own proxies has written. What
 * stands to the left of it anybody may have made up.
 *
 * @param trustedHops - how many proxies of ours write into the header, counted from the right; 0: the header is not looked at
 * @returns an IPv4 address, or an IPv6 address in its canonical form (RFC 5952); that of the connection where the header has
 *   no such entry or something else in its place; `undefined` when the connection has gone
 */
export function clientAddress(request: IncomingMessage, trustedHops: number): string | undefined {
  const connected = request.socket.remoteAddress;
  return forwardedAddress(request.headers['x-forwarded-for'], trustedHops) ?? canonical(connected ?? '');
}

function forwardedAddress(header: string | string[] | undefined, trustedHops: number): string | undefined {
  if (header === undefined || trustedHops === 0) return undefined;
  // Node.js has joined what came in several headers, in their order.
  const entry = String(header).split(',').at(-trustedHops);
  return entry === undefined ? undefined : canonical(withoutPort(entry.trim()));
}

/** Azure writes a port behind IPv4 addresses, and others behind IPv6 addresses in brackets. */
function withoutPort(entry: string): string {
  const [, inBrackets, v4] = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d{1,5})?$/.exec(entry) ?? [];
  return inBrackets ?? v4 ?? entry;
}

/** One text for each address, so that nobody has several to count by. */
function canonical(address: string): string | undefined {
  if (isIPv4(address)) return address;
  // With a zone it means something on one machine only; the URL parser knows none.
  const host = isIPv6(address) ? URL.parse(`http://[${address}]`)?.hostname : undefined;
  if (host === undefined) return undefined;
  const [, high, low] = /^\[::ffff:([\da-f]{1,4}):([\da-f]{1,4})\]$/.exec(host) ?? [];
  if (high === undefined || low === undefined) return host.slice(1, -1);
  const bits = [high, low].map((group) => Number.parseInt(group, 16));
  return bits.flatMap((group) => [group >> 8, group & 255]).join('.');
}

/**
 * The network a caller is counted by: an IPv4 address itself, of an IPv6 address its /64, which is what one connection to the
 * Internet is given at least.
 *
 * @param address - canonical, as {@link clientAddress} gives it
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const behind = tail === undefined || tail === '' ? [] : tail.split(':');
  while (tail !== undefined && groups.length + behind.length < 8) groups.push('0');
  return `${[...groups, ...behind].slice(0, 4).join(':')}::/64`;
}
