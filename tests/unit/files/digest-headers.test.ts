import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { announcedDigest, hexDigest } from '../../../src/lib/files/digest-headers.ts';

const sha256 = createHash('sha256').update('abc').digest();
const md5 = createHash('md5').update('abc').digest();

describe('an announced digest', () => {
  it('is read from repr-digest, also among digests of other algorithms', () => {
    const expected = { algorithm: 'sha256', value: sha256 };
    const entry = `sha-256=:${sha256.toString('base64')}:`;

    expect(announcedDigest({ 'repr-digest': entry })).toEqual(expected);
    expect(announcedDigest({ 'repr-digest': `sha-512=:AAAA:, ${entry}` })).toEqual(expected);
    expect(announcedDigest({ 'repr-digest': entry, 'content-md5': md5.toString('base64') })).toEqual(
      expected,
    );
  });

  it('is read from content-md5, and is absent otherwise', () => {
    expect(announcedDigest({ 'content-md5': md5.toString('base64') })).toEqual({
      algorithm: 'md5',
      value: md5,
    });
    expect(announcedDigest({})).toBeUndefined();
    expect(announcedDigest({ 'repr-digest': 'sha-512=:AAAA:' })).toBeUndefined();
  });

  it.each([
    { 'repr-digest': 'sha-256=abc' },
    { 'repr-digest': 'sha-256=:abc:' },
    { 'repr-digest': '' },
    { 'content-md5': 'abc' },
    { 'content-md5': sha256.toString('base64') },
  ])('is refused when it cannot be read: %o', (headers) => {
    expect(() => announcedDigest(headers)).toThrow(expect.objectContaining({ code: 'malformed_digest' }));
  });

  it('is read from a form field as hex', () => {
    expect(hexDigest(sha256.toString('hex'))).toEqual({ algorithm: 'sha256', value: sha256 });
    expect(hexDigest(undefined)).toBeUndefined();
    expect(() => hexDigest(sha256.toString('hex').toUpperCase())).toThrow(
      expect.objectContaining({ code: 'malformed_digest' }),
    );
  });
});
