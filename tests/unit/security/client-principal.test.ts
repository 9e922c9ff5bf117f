import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readClientPrincipal, scopes } from '../../../src/lib/security/index.ts';

type Claims = readonly (readonly [typ: string, val: unknown])[];

const encode = (principal: unknown) =>
  Buffer.from(typeof principal === 'string' ? principal : JSON.stringify(principal)).toString('base64');

/** As the front end writes it. */
const principalOf = (claims: Claims, more: object = {}) =>
  encode({
    auth_typ: 'aad',
    claims: claims.map(([typ, val]) => ({ typ, val })),
    name_typ: 'name',
    role_typ: 'roles',
    ...more,
  });

const read = (text: string) => readClientPrincipal(text, 'admin');
const longSubject = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier';

describe('readClientPrincipal', () => {
  it.each<[string, Claims, string]>([
    ['sub', [['sub', 'alice']], 'alice'],
    ['the long name of sub', [[longSubject, 'alice']], 'alice'],
    ['the id of the object, where there is no sub', [['oid', 'alice']], 'alice'],
    [
      'sub before all others',
      [
        ['oid', 'o'],
        [longSubject, 'n'],
        ['sub', 'alice'],
      ],
      'alice',
    ],
    [
      'sub, said twice',
      [
        ['sub', 'alice'],
        ['sub', 'alice'],
      ],
      'alice',
    ],
  ])('knows the caller by %s', (_, claims, id) => {
    expect(read(principalOf(claims))).toEqual({ id, scopes: new Set(), projectIds: [] });
  });

  it('tells a user of another provider from one of the same number here, or at a third', () => {
    const callers = ['github', 'twitter', 'my-idp_2'].map((provider) =>
      read(principalOf([[longSubject, '583231']], { auth_typ: provider })),
    );

    expect(callers).toMatchObject([
      { id: 'github:583231' },
      { id: 'twitter:583231' },
      { id: 'my-idp_2:583231' },
    ]);
  });

  it('reads scopes and roles, each of which may come more than once', () => {
    const scoped = principalOf([
      ['sub', 'a'],
      ['scp', 'files:read openid'],
      ['scp', 'files:write'],
    ]);
    const admin = principalOf([
      ['sub', 'a'],
      ['roles', 'reader'],
      ['roles', 'admin'],
    ]);
    const longRole = principalOf([
      ['sub', 'a'],
      ['http://schemas.microsoft.com/ws/2008/06/identity/claims/role', 'admin'],
    ]);

    expect(read(scoped)).toMatchObject({ scopes: new Set(['files:read', 'files:write']) });
    expect(read(admin)).toMatchObject({ scopes: new Set(scopes) });
    expect(read(longRole)).toMatchObject({ scopes: new Set(scopes) });
  });

  it('lets nobody name the claim that holds roles', () => {
    const found = read(
      principalOf(
        [
          ['sub', 'a'],
          ['nickname', 'admin'],
        ],
        { role_typ: 'nickname' },
      ),
    );

    expect(found).toMatchObject({ scopes: new Set() });
  });

  it.each<[string, string, string]>([
    ['nothing', '', 'form'],
    ['no base64', '{"claims":[]}', 'form'],
    ['base64 for URLs', principalOf([['sub', '???>>>']]).replace(/[+/]/g, '-'), 'form'],
    ['two headers in one', `${principalOf([['sub', 'a']])}, ${principalOf([['sub', 'b']])}`, 'form'],
    ['no JSON', encode('alice'), 'form'],
    ['null', encode('null'), 'form'],
    ['a text', encode('"alice"'), 'form'],
    ['no claims', encode({ auth_typ: 'aad' }), 'form'],
    ['claims that are no list', encode({ auth_typ: 'aad', claims: { sub: 'alice' } }), 'form'],
    ['a claim that is none', encode({ auth_typ: 'aad', claims: [null] }), 'form'],
    ['no provider', principalOf([['sub', 'alice']], { auth_typ: undefined }), 'form'],
    ['a provider without a name', principalOf([['sub', 'alice']], { auth_typ: '' }), 'form'],
    ['a provider that is no text', principalOf([['sub', 'alice']], { auth_typ: ['aad'] }), 'form'],
    ['a provider that holds a user', principalOf([['sub', 'b']], { auth_typ: 'github:a' }), 'form'],
    ['a provider with the name of API keys', principalOf([['sub', 'a']], { auth_typ: 'Key' }), 'sub'],
    ['nobody at another provider', principalOf([['sub', '']], { auth_typ: 'github' }), 'sub'],
    ['a claim that is no text', principalOf([['sub', 7]]), 'form'],
    ['no UTF-8', Buffer.of(0xff, 0xfe).toString('base64'), 'form'],
    [
      'more than 16 KiB',
      principalOf([
        ['sub', 'a'],
        ['pad', 'x'.repeat(16_384)],
      ]),
      'form',
    ],
    ['nobody', principalOf([['name', 'alice']]), 'sub'],
    [
      'two callers',
      principalOf([
        ['sub', 'alice'],
        ['sub', 'bob'],
      ]),
      'sub',
    ],
    ['the id of an API key', principalOf([['sub', 'key:0123456789abcdef']]), 'sub'],
    [
      'an empty sub, which no other takes the place of',
      principalOf([
        ['sub', ''],
        ['oid', 'alice'],
      ]),
      'sub',
    ],
  ])('refuses %s', (_, text, reason) => {
    expect(read(text)).toEqual({ refused: reason });
  });

  it('refuses anything else', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.json().map(encode), fc.base64String());

    fc.assert(fc.property(text, (given) => 'refused' in read(given)));
  });
});
