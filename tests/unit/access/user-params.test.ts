import { describe, expect, it } from 'vitest';
import { userParams } from '../../../src/lib/access/index.ts';

describe('the user whose data is to be erased', () => {
  it.each(['alice', 'key:0123456789abcdef', 'cli:ann', 'systematic'])('may be %s', (id) => {
    expect(userParams.safeParse({ id })).toMatchObject({ success: true, data: { id } });
  });

  it.each(['system:jobs', 'System:jobs', 'erased:0b9f3f0e-1111-4222-8333-444455556666'])(
    'is nobody called %s',
    (id) => {
      expect(userParams.safeParse({ id }).success).toBe(false);
    },
  );
});
