import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appEnvironment } from '../../../local/app-environment.ts';
import { readLocalSettings } from '../../../local/settings.ts';

describe('local settings', () => {
  let root: string;

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'crown-safe-settings-'));
  });
  afterAll(() => rmSync(root, { recursive: true }));

  const service = { start: async () => undefined, stop: async () => undefined };
  const services = {
    azurite: { ...service, connectionString: 'ours' },
    postgres: { ...service, url: 'postgresql://ours', appUrl: 'postgresql://app', folder: '.local/postgres' },
    stop: async () => undefined,
  };

  it('have the known ports by default', () => {
    const settings = readLocalSettings(root, {});

    expect(settings).toMatchObject({
      folder: join(root, '.local'),
      port: 7071,
      azuritePorts: { blob: 10_000, queue: 10_001, table: 10_002 },
      postgresPort: 5433,
    });
  });

  it('take a port from the environment, and an empty variable for none', () => {
    const settings = readLocalSettings(root, { PORT: '8080', LOCAL_POSTGRES_PORT: '' });

    expect(settings).toMatchObject({ port: 8080, postgresPort: 5433 });
  });

  it.each(['0', '65536', '80.5', 'http', '-1', '7071x'])('refuse %s as a port', (text) => {
    expect(() => readLocalSettings(root, { PORT: text })).toThrow(
      `PORT is "${text}", which is not a port. Set it to a number from 1 to 65535.`,
    );
  });

  it('reach the app over ours: first local.settings.json, above it the environment', () => {
    writeFileSync(
      join(root, 'local.settings.json'),
      JSON.stringify({ Values: { DATABASE_URL: 'postgresql://file', LOG_LEVEL: 'error' } }),
    );

    const env = appEnvironment(readLocalSettings(root, { LOG_LEVEL: 'debug', LOCAL_FOLDER: '.' }), services);

    expect(env).toMatchObject({
      ENVIRONMENT: 'development',
      AzureWebJobsStorage: 'ours',
      DATABASE_URL: 'postgresql://file',
      LOG_LEVEL: 'debug',
    });
    expect(Buffer.from(env['SECRET_KEY'] ?? '', 'base64url').length).toBe(32);
  });

  it('say so when local.settings.json cannot be read', () => {
    writeFileSync(join(root, 'local.settings.json'), '{"Values":');

    expect(() => readLocalSettings(root, {})).toThrow(
      'local.settings.json is not JSON. Mend it, or remove it.',
    );
  });
});
