import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { isLoopbackAddress, isPublicAddress } from '../../../src/lib/outbound/addresses.ts';

/** IANA, IPv4 and IPv6 Special-Purpose Address Registry, multicast, and ranges that were once given out or never. */
const special = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '255.255.255.255/32',
  '168.63.129.16/32',
  '::/128',
  '::1/128',
  '::/3',
  '::/96',
  '::ffff:0:0/96',
  '::ffff:0:0:0/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '100:0:0:1::/64',
  '2001::/23',
  '2001::/32',
  '2001:1::1/128',
  '2001:1::2/128',
  '2001:1::3/128',
  '2001:2::/48',
  '2001:3::/32',
  '2001:4:112::/48',
  '2001:10::/28',
  '2001:20::/28',
  '2001:30::/28',
  '2001:db8::/32',
  '2002::/16',
  '2620:4f:8000::/48',
  '3fff::/20',
  '4000::/2',
  '5f00::/16',
  '8000::/1',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];

const isSpecial = (address: string) => {
  const parsed = ipaddr.parse(address);
  return special.some((range) => {
    const [network, length] = ipaddr.parseCIDR(range);
    return network.kind() === parsed.kind() && parsed.match([network, length]);
  });
};

const fromBytes = (bytes: readonly number[] | Uint8Array) => ipaddr.fromByteArray([...bytes]).toString();

/** Any address of a range: its first bits with others after them. */
const within = (range: string) => {
  const [network, length] = ipaddr.parseCIDR(range);
  const prefix = network.toByteArray();
  return fc.uint8Array({ minLength: prefix.length, maxLength: prefix.length }).map((bytes) =>
    fromBytes(
      bytes.map((byte, index) => {
        const mask = 0xff & (0xff << Math.min(8, Math.max(0, 8 - (length - index * 8))));
        return ((prefix[index] ?? 0) & mask) | (byte & ~mask);
      }),
    ),
  );
};

describe('a public address', () => {
  it.each(special)('is none of %s', (range) => {
    fc.assert(fc.property(within(range), (address) => !isPublicAddress(address)));
  });

  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '169.253.255.255',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.1',
    '198.20.0.0',
    '223.255.255.255',
    '168.63.129.15',
    '2001:200::1',
    '2606:4700:4700::1111',
    '2a00:1450:4001::1',
    '2003::1',
  ])('is %s', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it('is every IPv4 address that is not special', () => {
    const any = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(fromBytes);

    fc.assert(fc.property(any, (address) => isPublicAddress(address) === !isSpecial(address)));
  });

  it('is every IPv6 address that is not special', () => {
    const anywhere = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(fromBytes);
    const any = fc.oneof(anywhere, within('2000::/3'), within('2001::/16'), within('2620::/16'));

    fc.assert(fc.property(any, (address) => isPublicAddress(address) === !isSpecial(address)));
  });

  it('is no address of another one in disguise', () => {
    const disguises = ['::ffff:8.8.8.8', '::8.8.8.8', '64:ff9b::8.8.8.8', '2002:808:808::1', 'fe80::1%eth0'];

    expect(disguises.filter(isPublicAddress)).toEqual([]);
  });
});

describe('a loopback address', () => {
  it.each(['127.0.0.1', '127.255.255.254', '::1'])('is %s', (address) => {
    expect(isLoopbackAddress(address)).toBe(true);
  });

  it.each(['126.0.0.1', '0.0.0.0', '::', '::ffff:127.0.0.1', '10.0.0.1', '8.8.8.8'])(
    'is not %s',
    (address) => {
      expect(isLoopbackAddress(address)).toBe(false);
    },
  );
});
