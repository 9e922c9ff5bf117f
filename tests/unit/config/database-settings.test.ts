import { describe, expect, it } from 'vitest';
import { ConfigError, loadDatabaseSettings } from '../../../src/lib/config/index.ts';

const url = 'postgresql://deployer%40contoso.com@server.example/crownsafe';

describe('loadDatabaseSettings', () => {
  it('needs nothing else of the app, and is not troubled by it', () => {
    expect(loadDatabaseSettings({ DATABASE_URL: url, SECRET_KEY: 'short', LOG_LEVEL: 'loud' })).toEqual({
      DATABASE_URL: url,
      DATABASE_DIRECT_URL: url,
    });
  });

  it('reads the address without a pooler, and the identity', () => {
    const direct = 'postgresql://server.example:5432/crownsafe';
    const AZURE_CLIENT_ID = '00000000-0000-4000-8000-000000000001';

    expect(loadDatabaseSettings({ DATABASE_URL: url, DATABASE_DIRECT_URL: direct, AZURE_CLIENT_ID })).toEqual(
      { DATABASE_URL: url, DATABASE_DIRECT_URL: direct, AZURE_CLIENT_ID },
    );
  });

  it('names what is missing or malformed, and shows no value', () => {
    const load = () =>
      loadDatabaseSettings({ DATABASE_URL: '', DATABASE_DIRECT_URL: 'mysql://u:hidden@h/d' });

    expect(load).toThrow(ConfigError);
    expect(load).toThrow(
      'The settings are not usable:\n  - DATABASE_URL: is required\n  - DATABASE_DIRECT_URL: must be a postgresql:// URL',
    );
  });
});
