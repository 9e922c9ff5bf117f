import { describe, expect, it } from 'vitest';
import { jobMessage } from '../../../src/lib/jobs/index.ts';

const reference = { kind: 'backup', id: '0198a3c4-5b6d-4e7f-8a9b-0c1d2e3f4a5b' };

describe('a message for a job', () => {
  it.each([
    ['what a later version says', { priority: 'high', deadline: { seconds: 5 } }],
    ['a trace that cannot be read', { traceparent: 7 }],
    ['a correlation id that cannot be one', { correlation_id: 'x'.repeat(129) }],
  ])('is understood with %s', (_, more) => {
    expect(jobMessage.parse({ ...reference, ...more })).toEqual(reference);
  });

  it('keeps what says whose work it is', () => {
    const cause = { correlation_id: 'c-12345678', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };

    expect(jobMessage.parse({ ...reference, ...cause })).toEqual({ ...reference, ...cause });
  });

  it.each([{}, { ...reference, id: '../x' }, { ...reference, kind: '' }, 'text', null])(
    'is refused without a job it could mean: %j',
    (message) => {
      expect(jobMessage.safeParse(message).success).toBe(false);
    },
  );
});
