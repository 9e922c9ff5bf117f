import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { clientAddress, networkOf } from '../../../src/lib/http/client-address.ts';

const request = (forwarded: string | undefined, remoteAddress: string | undefined = '127.0.0.1') =>
  ({ headers: { 'x-forwarded-for': forwarded }, socket: { remoteAddress } }) as unknown as IncomingMessage;

describe('the address of a client', () => {
  it.each([
    ['the last entry', '203.0.113.7', 1, '203.0.113.7'],
    ['with the port that Azure writes', '203.0.113.7:50123', 1, '203.0.113.7'],
    ['behind one that the client made up', '198.51.100.1, 203.0.113.7:50123', 1, '203.0.113.7'],
    ['behind many made up', `${'1.1.1.1,'.repeat(500)} 203.0.113.7`, 1, '203.0.113.7'],
    ['the last but one behind two proxies', '198.51.100.1, 203.0.113.7:1, 10.0.0.1:2', 2, '203.0.113.7'],
    ['IPv6 in brackets with a port', '[2001:DB8::0:1]:443', 1, '2001:db8::1'],
    ['IPv6 in brackets', '[2001:db8::1]', 1, '2001:db8::1'],
    ['bare IPv6', '2001:db8:0:0:0:0:0:1', 1, '2001:db8::1'],
    ['IPv4 inside of IPv6', '::ffff:203.0.113.7', 1, '203.0.113.7'],
    ['IPv4 inside of IPv6, in hex', '[::ffff:cb00:7107]:1', 1, '203.0.113.7'],
  ])('is %s', (_, forwarded, hops, expected) => {
    expect(clientAddress(request(forwarded), hops)).toBe(expected);
  });

  it.each([
    ['a word', 'unknown'],
    ['nothing', ''],
    ['an empty entry behind a good one', '203.0.113.7,'],
    ['a name that is no address', '[example.com]'],
    ['a number', '3405803783'],
    ['an address in octal', '0313.0.0161.7'],
    ['too many parts', '1.2.3.4.5'],
    ['an address out of range', '203.0.113.256'],
    ['a zone', 'fe80::1%eth0'],
    ['something behind the address', '203.0.113.7:1:2'],
    ['a forged end of the URL', '[::1]/@203.0.113.7'],
    ['a forged beginning of the URL', '::1]/['],
  ])('is that of the connection where the entry is %s', (_, forwarded) => {
    expect(clientAddress(request(forwarded), 1)).toBe('127.0.0.1');
  });

  it('is that of the connection when fewer proxies have written than are trusted', () => {
    expect(clientAddress(request('203.0.113.7'), 2)).toBe('127.0.0.1');
  });

  it('is that of the connection when no proxy is trusted, or none has written', () => {
    expect(clientAddress(request('203.0.113.7', '::ffff:192.0.2.1'), 0)).toBe('192.0.2.1');
    expect(clientAddress(request(undefined), 1)).toBe('127.0.0.1');
  });

  it('is not known of a connection that has gone', () => {
    expect(clientAddress({ headers: {}, socket: {} } as IncomingMessage, 1)).toBeUndefined();
  });
});

describe('the network of an address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['1::2:3:4:5:6', '1:0:0:2::/64'],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
