import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createDestinations } from '../../../src/lib/outbound/destinations.ts';

const allowedHosts = [
  'hooks.example.com',
  '*.example.org',
  'api.example.com:8443',
  'bücher.example',
  '127.0.0.1',
  '8.8.8.8',
  '0.0.0.0',
  '169.254.169.254',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '[2606:4700:4700::1111]',
];
const { faultOf } = createDestinations({ allowedHosts, allowLoopback: false });

const notListed = 'leads to a host that is not on the list of allowed ones';
const notPublic = 'leads to an address that is not public';
const notSecure = 'must be an https:// URL';

describe('a URL', () => {
  it.each([
    'https://hooks.example.com/services/a?b=c#d',
    'https://HOOKS.example.com:443/',
    'https://a.example.org/',
    'https://a.b.example.org/',
    'https://api.example.com:8443/',
    'https://xn--bcher-kva.example/',
    'https://bücher.example/',
    'https://8.8.8.8/',
    'https://0x8.0x8.0x8.0x8/',
    'https://[2606:4700:4700:0::1111]/',
  ])('may be called as %s', (url) => {
    expect(faultOf(url)).toBeUndefined();
  });

  it.each([
    ['', 'is not a URL'],
    ['hooks.example.com', 'is not a URL'],
    ['https://', 'is not a URL'],
    ['https://999.1.1.1/', 'is not a URL'],
    ['http://hooks.example.com/', notSecure],
    ['ftp://hooks.example.com/', notSecure],
    ['file:///etc/passwd', notSecure],
    ['javascript:alert(1)', notSecure],
    ['https://user:secret@hooks.example.com/', 'must not hold credentials'],
    ['https://user@hooks.example.com/', 'must not hold credentials'],
    ['https://:secret@hooks.example.com/', 'must not hold credentials'],
    ['https://hooks.example.com@evil.example/', 'must not hold credentials'],
    ['https://evil.example/', notListed],
    ['https://hooks.example.com.evil.example/', notListed],
    ['https://hooks.example.com./', notListed],
    ['https://evil-hooks.example.com/', notListed],
    ['https://a.hooks.example.com/', notListed],
    ['https://hooks.example.com:8443/', notListed],
    ['https://hooks.example.com:80/', notListed],
    ['https://api.example.com/', notListed],
    ['https://example.org/', notListed],
    ['https://evilexample.org/', notListed],
    ['https://.example.org.evil.example/', notListed],
    ['https://127.0.0.1/', notPublic],
    ['https://2130706433/', notPublic],
    ['https://0x7f000001/', notPublic],
    ['https://0177.0.0.1/', notPublic],
    ['https://127.1/', notPublic],
    ['https://0/', notPublic],
    ['https://0xa9fea9fe/', notPublic],
    ['https://[::1]/', notPublic],
    ['https://[0:0:0:0:0:0:0:1]/', notPublic],
    ['https://[::ffff:127.0.0.1]/', notPublic],
    ['https://[::ffff:7f00:1]/', notPublic],
  ])('is refused as %s', (url, fault) => {
    expect(faultOf(url)).toBe(fault);
  });

  it('may lead to this machine, without TLS, only where that is allowed', () => {
    const local = createDestinations({
      allowedHosts: [
        '127.0.0.1:3000',
        '127.0.0.1:80',
        'hooks.example.com',
        '8.8.8.8:80',
        '10.0.0.1',
        '[::1]:3000',
      ],
      allowLoopback: true,
    });

    expect(local.faultOf('http://127.0.0.1:3000/')).toBeUndefined();
    expect(local.faultOf('http://127.0.0.1/')).toBeUndefined();
    expect(local.faultOf('http://[::1]:3000/')).toBeUndefined();
    expect(local.faultOf('https://127.0.0.1:3000/')).toBeUndefined();
    expect(local.faultOf('http://127.0.0.1:3001/')).toBe(notListed);
    expect(local.faultOf('http://hooks.example.com/')).toBe(notSecure);
    expect(local.faultOf('http://8.8.8.8/')).toBe(notSecure);
    expect(local.faultOf('https://10.0.0.1/')).toBe(notPublic);
  });
});

describe('a list of hosts', () => {
  it('allows nothing when it is empty', () => {
    const none = createDestinations({ allowedHosts: [], allowLoopback: true });

    expect(none.faultOf('https://hooks.example.com/')).toBe(notListed);
  });

  it.each([
    '',
    '*',
    '*.',
    '*.*.example.com',
    'a.*.example.com',
    'https://a.example',
    'a.example/path',
    'u@a.example',
    'a b',
    'a.example:99999',
    'a?b',
    'a#b',
    'a\\b',
  ])('is refused with %j', (entry) => {
    expect(() => createDestinations({ allowedHosts: [entry], allowLoopback: false })).toThrow(
      'is not a host',
    );
  });
});

describe('a name', () => {
  const guarded = (...found: readonly string[]) => {
    const resolve: LookupFunction = (_, __, callback) =>
      callback(
        null,
        found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    return (allowLoopback: boolean) =>
      new Promise<readonly LookupAddress[]>((settle, fail) => {
        const { guard } = createDestinations({ allowedHosts, allowLoopback });
        guard(resolve)('hooks.example.com', {}, (error, addresses) =>
          error ? fail(error) : settle(addresses as LookupAddress[]),
        );
      });
  };

  it('is connected to at its addresses when all are public', async () => {
    const addresses = await guarded('8.8.8.8', '2606:4700:4700::1111')(false);

    expect(addresses).toEqual([
      { address: '8.8.8.8', family: 4 },
      { address: '2606:4700:4700::1111', family: 6 },
    ]);
  });

  it.each([
    ['127.0.0.1', ['127.0.0.1']],
    ['10.0.0.1', ['8.8.8.8', '10.0.0.1']],
    ['fd00::1', ['fd00::1', '8.8.8.8']],
    ['::ffff:10.0.0.1', ['8.8.8.8', '::ffff:10.0.0.1', '1.1.1.1']],
    ['169.254.169.254', ['169.254.169.254']],
  ])('is refused for the address %s, whatever others it has', async (refused, found) => {
    const result = guarded(...found)(false);

    await expect(result).rejects.toMatchObject({
      code: 'destination_refused',
      message: `hooks.example.com has the address ${refused}, which is not public`,
    });
  });

  it('may mean this machine, and nothing else that is private, where that is allowed', async () => {
    await expect(guarded('127.0.0.1', '::1')(true)).resolves.toHaveLength(2);
    await expect(guarded('127.0.0.1', '192.168.0.1')(true)).rejects.toThrow('192.168.0.1');
  });
});
