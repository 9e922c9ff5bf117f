import { describe, expect, it } from 'vitest';
import {
  allows,
  type Caller,
  isAdmin,
  isScope,
  type Scope,
  scopes,
} from '../../../src/lib/security/index.ts';

const callerWith = (...held: Scope[]): Caller => ({ id: 'key:1', scopes: new Set(held), projectIds: [] });

describe('allows', () => {
  it('lets a caller do what it holds the scope for, and nothing else', () => {
    const caller = callerWith('files:read', 'scans:write');

    expect(scopes.filter((scope) => allows(caller, scope))).toEqual(['files:read', 'scans:write']);
  });

  it('lets an admin do everything', () => {
    expect(scopes.every((scope) => allows(callerWith('admin'), scope))).toBe(true);
  });

  it('lets a caller without scopes do nothing', () => {
    expect(scopes.some((scope) => allows(callerWith(), scope))).toBe(false);
  });
});

describe('isAdmin', () => {
  it('is true of the scope admin only, not of all others together', () => {
    const others = scopes.filter((scope) => scope !== 'admin');

    expect([isAdmin(callerWith('admin')), isAdmin(callerWith(...others))]).toEqual([true, false]);
  });
});

describe('isScope', () => {
  it.each(scopes)('knows %s', (scope) => {
    expect(isScope(scope)).toBe(true);
  });

  it.each(['', 'Admin', 'files', 'files:*', 'files:read ', 'toString'])(
    'does not take %j for one',
    (text) => {
      expect(isScope(text)).toBe(false);
    },
  );
});
