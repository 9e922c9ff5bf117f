import { describe, expect, it } from 'vitest';
import { endpoint, scope } from '../../../src/lib/http/endpoint.ts';
import { keyedRequest, readRequestKey, recordedAnswer } from '../../../src/lib/http/idempotency.ts';

const creating = endpoint({
  name: 'things-create',
  method: 'POST',
  route: 'api/v1/things',
  summary: 'Create a thing',
  access: scope('files:write'),
  idempotent: true,
  responses: { 201: undefined },
  handle: () => undefined,
});
const caller = { id: 'key:a', scopes: new Set<never>(), projectIds: [] };
const read = (key: string | undefined, declared = creating, from: typeof caller | undefined = caller) =>
  readRequestKey(declared, from, key === undefined ? {} : { 'idempotency-key': key });

describe('the key of a request', () => {
  it.each([
    'k',
    'x'.repeat(255),
    '8e03978e-40d5-43e8-bc93-6894a57f9324',
    '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
    '!~',
  ])('is read as it came: %s', (key) => {
    expect(read(key)).toEqual({ caller: 'key:a', route: 'POST /api/v1/things', key });
  });

  it.each([
    ['empty', ''],
    ['of 256 characters', 'x'.repeat(256)],
    ['with a space', 'a b'],
    ['given twice', 'a, a'],
    ['beyond ASCII', 'klucz-ż'],
    ['with a control character', 'a\tb'],
    ['with DEL', 'a\x7f'],
  ])('is refused %s', (_, key) => {
    expect(() => read(key)).toThrow(expect.objectContaining({ code: 'malformed_request', status: 400 }));
  });

  it('is not looked at where there is none, nobody to own it, or where the endpoint does not heed it', () => {
    expect(read(undefined)).toBeUndefined();
    expect(readRequestKey(creating, undefined, { 'idempotency-key': 'k' })).toBeUndefined();
    const { idempotent: _, ...silent } = creating;
    for (const declared of [silent, { ...silent, idempotent: { ignored: 'nothing is kept' } }])
      expect(read('not a key', declared)).toBeUndefined();
  });
});

describe('what a request asks for', () => {
  const key = { caller: 'key:a', route: 'POST /', key: 'k' };
  const print = (payload: unknown) => keyedRequest(key, payload)?.fingerprint.toString('hex');

  it('is the same in any order of its fields', () => {
    expect(print({ a: 1, b: { d: [1, 2], c: 'x' } })).toBe(print({ b: { c: 'x', d: [1, 2] }, a: 1 }));
    expect(print({ a: 1 })).toHaveLength(64);
  });

  it.each([
    [{ a: 1 }, { a: 2 }],
    [{ a: [1, 2] }, { a: [2, 1] }],
    [{ a: 1 }, { b: 1 }],
    [{ a: 1 }, { a: '1' }],
    [{ a: null }, {}],
    ['', undefined],
  ])('differs between %j and %j', (one, other) => {
    expect(print({ one })).not.toBe(print({ one: other }));
  });

  it('needs no fingerprint without a key', () => {
    expect(keyedRequest(undefined, { a: 1 })).toBeUndefined();
  });
});

describe('an answer that was recorded', () => {
  const recorded = { status: 201, headers: { location: '/things/1' }, body: { id: 1 } };

  it('is sent as it is', () => {
    expect(recordedAnswer({ ...recorded, replayed: false })).toEqual({
      status: 201,
      headers: { location: '/things/1' },
      body: { kind: 'json', value: { id: 1 } },
    });
  });

  it('says so when it is one from before', () => {
    expect(recordedAnswer({ ...recorded, replayed: true }).headers).toEqual({
      location: '/things/1',
      'idempotency-replayed': 'true',
    });
  });
});
