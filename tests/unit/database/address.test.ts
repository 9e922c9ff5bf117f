import { describe, expect, it } from 'vitest';
import { parseDatabaseUrl } from '../../../src/lib/database/index.ts';

describe('the address of a database', () => {
  it('is read with everything percent-encoded', () => {
    expect(parseDatabaseUrl('postgresql://us%40er:p%2Fw%20%C5%BC@127.0.0.1:6432/my%20db')).toEqual({
      host: '127.0.0.1',
      port: 6432,
      user: 'us@er',
      password: 'p/w ż',
      database: 'my db',
    });
  });

  it.each([
    ['postgresql://id@h.example/d', 'a token'],
    ['postgresql://id:@h.example/d', 'a token'],
    ['postgresql://id@127.0.0.1/d?sslmode=no-verify', undefined],
    ['postgresql://id:word@h.example/d', 'word'],
    ['postgresql://id@h.example/d?sslmode=disable', undefined],
    ['postgresql://id@127.0.0.1/d', undefined],
  ])(
    'has a token for a password where it has none, and the server proves who it is: %s',
    async (url, expected) => {
      const { password } = parseDatabaseUrl(url, async () => 'a token');

      expect(typeof password === 'function' ? await password() : password).toBe(expected);
      expect(parseDatabaseUrl(url).password).toBe(expected === 'a token' ? undefined : expected);
    },
  );

  it.each([
    ['postgresql://h.example/d', { rejectUnauthorized: true }],
    ['postgresql://h.example/d?sslmode=require', { rejectUnauthorized: true }],
    ['postgresql://h.example/d?sslmode=verify-full', { rejectUnauthorized: true }],
    ['postgresql://h.example/d?sslmode=no-verify', { rejectUnauthorized: false }],
    ['postgresql://h.example/d?sslmode=disable', undefined],
    ['postgresql://localhost/d', undefined],
    ['postgresql://[::1]/d', undefined],
    ['postgresql://127.0.0.1/d?sslmode=require', { rejectUnauthorized: true }],
  ])('is spoken to in the clear only on this machine, or when asked to: %s', (url, tls) => {
    expect(parseDatabaseUrl(url).tls).toEqual(tls);
  });
});
