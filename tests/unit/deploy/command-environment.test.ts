import { describe, expect, it } from 'vitest';
import { commandEnvironment } from '../../../scripts/deploy/command-environment.ts';

const database = { host: 'db.example.com', port: 5432, name: 'crownsafe', user: 'first.last@example.com' };
const url = 'postgresql://first.last%40example.com@db.example.com:5432/crownsafe?sslmode=verify-full';

describe('the environment of the operator’s command', () => {
  it('leads to the deployed database, whatever else is set', () => {
    const elsewhere = 'postgresql://me:secret@localhost:5432/mine';

    const environment = commandEnvironment(database, {
      DATABASE_URL: elsewhere,
      DATABASE_DIRECT_URL: elsewhere,
    });

    expect(environment).toEqual({ DATABASE_URL: url, DATABASE_DIRECT_URL: url });
  });

  it.each([
    ['PATH', 'Path', 'HOME', 'USERPROFILE', 'SystemRoot', 'TMPDIR'],
    ['https_proxy', 'NO_PROXY', 'NODE_EXTRA_CA_CERTS'],
    ['AZD_CONFIG_DIR', 'AZURE_CONFIG_DIR', 'AZURE_TOKEN_CREDENTIALS', 'AZURE_TENANT_ID', 'AZURE_CLIENT_ID'],
    ['AZURE_CLIENT_SECRET', 'AZURE_CLIENT_CERTIFICATE_PATH', 'AZURE_FEDERATED_TOKEN_FILE'],
    ['ACTIONS_ID_TOKEN_REQUEST_URL', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'],
  ])('inherits what it takes to run and to sign in: %s …', (...names) => {
    const from = Object.fromEntries(names.map((name) => [name, 'kept']));

    expect(commandEnvironment(database, from)).toMatchObject(from);
  });

  it.each([
    ['SECRET_KEY', 'AZURE_STORAGE_CONNECTION_STRING', 'AzureWebJobsStorage', 'BACKUP_STORAGE_BLOB_URI'],
    ['DATABASE_POOL_SIZE', 'ENVIRONMENT', 'LOG_LEVEL', 'BACKUP_API_KEY', 'GITHUB_TOKEN'],
    ['NODE_OPTIONS', 'NODE_TLS_REJECT_UNAUTHORIZED', 'PGPASSWORD', 'XPATH', 'PATHS'],
  ])('inherits nothing else: %s …', (...names) => {
    const from = Object.fromEntries(names.map((name) => [name, 'left behind']));

    expect(commandEnvironment(database, from)).toEqual({ DATABASE_URL: url, DATABASE_DIRECT_URL: url });
  });

  it('has the settings that the command was given, but no other database by them', () => {
    const settings = { SECRET_KEY: 'given', DATABASE_DIRECT_URL: 'postgresql://elsewhere/other' };

    expect(commandEnvironment(database, { SECRET_KEY: 'inherited' }, settings)).toEqual({
      SECRET_KEY: 'given',
      DATABASE_URL: url,
      DATABASE_DIRECT_URL: url,
    });
  });
});
