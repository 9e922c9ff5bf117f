import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/core/index.ts';
import { orElse } from '../../../src/lib/resilience/index.ts';

describe('orElse', () => {
  it('gives what the work gives', async () => {
    expect(await orElse(Promise.resolve('whole'), () => 'less')).toBe('whole');
  });

  it.each(['unavailable', 'deadline_exceeded'] as const)('goes on with less when it is %s', async (code) => {
    expect(await orElse(Promise.reject(new AppError(code, 'away')), () => 'less')).toBe('less');
  });

  it.each([[new AppError('upstream', 'refused')], [new TypeError('a bug')], ['a text']])(
    'throws on what must be seen: %s',
    async (error) => {
      const result = await orElse(Promise.reject(error), () => 'less').catch((thrown: unknown) => thrown);

      expect(result).toBe(error);
    },
  );
});
