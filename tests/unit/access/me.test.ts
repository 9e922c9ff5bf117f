import { expect, it } from 'vitest';
import { describeCaller, meShape } from '../../../src/lib/access/index.ts';
import type { Caller } from '../../../src/lib/security/index.ts';

const caller: Caller = {
  id: 'key:a1',
  scopes: new Set(['scans:read', 'files:read'] as const),
  projectIds: ['p2', 'p1'],
  expiresAt: Date.UTC(2026, 0, 1),
};

it('a caller by API key is told scopes and projects in order, and when the key ends', () => {
  expect(describeCaller(caller)).toEqual({
    id: 'key:a1',
    scopes: ['files:read', 'scans:read'],
    project_ids: ['p1', 'p2'],
    credential: { kind: 'api_key', expires_at: '2026-01-01T00:00:00.000Z' },
  });
});

it('a caller by token, or one without an end, is told so', () => {
  const { expiresAt: _, ...endless } = caller;

  const told = describeCaller({ ...endless, id: 'auth0|ann' });

  expect(told).toMatchObject({ id: 'auth0|ann', credential: { kind: 'token', expires_at: null } });
  expect(meShape.parse(told)).toEqual(told);
});
