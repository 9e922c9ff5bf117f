import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readIdentity } from '../../../src/lib/security/claims.ts';
import { scopes } from '../../../src/lib/security/index.ts';

const read = (claims: object) => readIdentity({ sub: 'alice', ...claims }, 'admin');
const [project, another] = ['0b9f3f0e-1111-4222-8333-444455556666', '0b9f3f0e-1111-4222-8333-444455556667'];

describe('readIdentity', () => {
  it.each([
    ['a text', { scope: 'files:read files:write' }],
    ['a text with more blanks', { scope: ' files:read  files:write ' }],
    ['a list', { scope: ['files:read', 'files:write'] }],
    ['scp, as a text', { scp: 'files:read files:write' }],
    ['scp, as a list', { scp: ['files:read', 'files:write'] }],
    ['both', { scope: 'files:read', scp: ['files:write'] }],
    ['among those of others', { scope: 'openid profile files:read files:write Files:Share email' }],
  ])('reads scopes from %s', (_, claims) => {
    expect(read(claims)).toEqual({
      id: 'alice',
      scopes: new Set(['files:read', 'files:write']),
      projectIds: [],
    });
  });

  it('knows an administrator by the role, or by the scope itself', () => {
    expect(read({ roles: ['reader', 'admin'] })).toMatchObject({ scopes: new Set(scopes) });
    expect(read({ roles: 'admin', scope: 'files:read' })).toMatchObject({ scopes: new Set(scopes) });
    expect(read({ scope: 'admin' })).toMatchObject({ scopes: new Set(['admin']) });
    expect(readIdentity({ sub: 'alice', roles: ['CrownSafe.Admin'] }, 'CrownSafe.Admin')).toMatchObject({
      scopes: new Set(scopes),
    });
  });

  it.each([
    { roles: 'no admin' },
    { roles: 'admin,reader' },
    { roles: ['Admin', 'admin ', 'administrator'] },
    { role: 'admin' },
    { groups: ['admin'] },
    {},
  ])('sees no administrator in %j', (claims) => {
    expect(read(claims)).toMatchObject({ scopes: new Set() });
  });

  it('takes over projects', () => {
    expect(read({ projects: [project, another] })).toMatchObject({ projectIds: [project, another] });
  });

  it.each([
    ['sub', { sub: undefined }],
    ['sub', { sub: '' }],
    ['sub', { sub: 7 }],
    ['sub', { sub: ['alice'] }],
    ['sub', { sub: { toString: 'alice' } }],
    ['sub', { sub: 'a'.repeat(201) }],
    ['sub', { sub: 'key:0123456789abcdef' }],
    ['sub', { sub: 'KEY:0123456789abcdef' }],
    ['sub', { sub: 'cli:root' }],
    ['sub', { sub: 'system:maintenance' }],
    ['sub', { sub: 'erased:0b9f3f0e-1111-4222-8333-444455556666' }],
    ['sub', { sub: ' key:0123456789abcdef' }],
    ['sub', { sub: 'alice ' }],
    ['sub', { sub: 'alice\u0000' }],
    ['sub', { sub: 'alice\nadmin' }],
    ['sub', { sub: 'alice\u202Eecila' }],
    ['sub', { sub: '\u200Bkey:0123456789abcdef' }],
    ['sub', { sub: 'alice\u2028' }],
    ['sub', { sub: 'alice\uD800' }],
    ['scope', { scope: 7 }],
    ['scope', { scope: { 'files:read': true } }],
    ['scope', { scp: ['files:read', 7] }],
    ['scope', { scope: null }],
    ['roles', { roles: { admin: true } }],
    ['roles', { roles: ['admin', null] }],
    ['projects', { projects: project }],
    ['projects', { projects: ['not an id'] }],
    ['projects', { projects: [project.toUpperCase()] }],
    ['projects', { projects: Array(101).fill(project) }],
  ])('refuses %s of %j', (claim, claims) => {
    expect(read(claims)).toEqual({ refused: claim });
  });

  it.each([
    'alice',
    'auth0|5f7c8ec7c33c6c004bbafe82',
    'jörg@example.com',
    '山田',
    'a b',
    'keys:1',
    'a'.repeat(200),
  ])('takes %s for the id of a user', (sub) => {
    expect(read({ sub })).toMatchObject({ id: sub });
  });

  it('makes of any claims either nobody, or a user with known scopes and ids of projects', () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('admin', 'files:read', [project], 'key:a', 'system:b'),
    );
    const claims = fc.record(
      { sub: value, scope: value, scp: value, roles: value, projects: value },
      { requiredKeys: [] },
    );

    fc.assert(
      fc.property(claims, (given) => {
        const found = readIdentity(given, 'admin');

        if ('refused' in found) return;
        expect(found.id).toBe(given.sub);
        expect(found.id).not.toMatch(/^(key|cli|system|erased):/i);
        for (const scope of found.scopes) expect(scopes).toContain(scope);
        for (const id of found.projectIds) expect(id).toMatch(/^[0-9a-f-]{36}$/);
      }),
    );
  });
});
