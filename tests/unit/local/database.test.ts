import { describe, expect, it } from 'vitest';
import { prepareDatabase } from '../../../local/database.ts';
import { LocalError } from '../../../local/local-error.ts';

describe('preparing the database', () => {
  const env = {
    AzureWebJobsStorage: 'UseDevelopmentStorage=true',
    SECRET_KEY: 'a-secret-for-tests-only-0123456789abcdef',
    // Nothing can listen there without being root, and nothing does.
    DATABASE_URL: 'postgresql://user:hidden@127.0.0.1:1/nowhere',
  };

  it('fails with a sentence when nobody answers', async () => {
    const attempt = prepareDatabase('unused', env);

    await expect(attempt).rejects.toThrow(LocalError);
    await expect(attempt).rejects.toThrow(
      'The database of DATABASE_URL cannot be used: connect ECONNREFUSED 127.0.0.1',
    );
  });

  it('names every setting that is not usable, and where settings come from', async () => {
    const attempt = prepareDatabase('unused', { ...env, SECRET_KEY: 'short', LOG_LEVEL: 'loud' });

    await expect(attempt).rejects.toThrow(LocalError);
    await expect(attempt).rejects.toThrow(/LOG_LEVEL: .*SECRET_KEY: .*local\.settings\.json/s);
  });
});
