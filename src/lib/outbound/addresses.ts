import ipaddr from 'ipaddr.js';

/**
 * Of Azure's own: DNS, health probes and the host agent, under an address that looks public in every region.
 * Source: learn.microsoft.com, "What is IP address 168.63.129.16?"
 */
const azurePlatform = '168.63.129.16';

/** All that is given to anybody for the public network yet. Source: IANA, IPv6 Global Unicast Address Assignments. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * True for an address on the public network. All special-purpose ranges are not, nor are addresses that lead to an IPv4
 * address by way of another (mapped, 6to4, Teredo, NAT64), whatever that one is.
 *
 * @param text - an IPv4 or IPv6 address, without brackets
 */
export function isPublicAddress(text: string): boolean {
  const address = ipaddr.parse(text);
  if (address.range() !== 'unicast') return false;
  return address instanceof ipaddr.IPv6 ? address.match(globalUnicast) : address.toString() !== azurePlatform;
}

/** True for an address of this machine itself. */
export function isLoopbackAddress(text: string): boolean {
  return ipaddr.parse(text).range() === 'loopback';
}
