import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type AzdKnowledge, installFakeAzd } from '../../support/fake-azd.ts';
import { makeSelfSigned } from '../../support/self-signed.ts';
import { makeTemporaryFolder } from '../../support/temporary-folder.ts';

/* The commands as azd and workflows start them: as processes, over TLS, with a token from azd. */

const { key, certificate } = makeSelfSigned();
const folder = makeTemporaryFolder();
const authority = join(folder, 'authority.pem');
writeFileSync(authority, certificate);
const servers: ReturnType<typeof createServer>[] = [];

/** Starts a server over TLS that the commands trust; returns its address. */
async function startServer(handle: RequestListener): Promise<string> {
  const server = createServer({ key, cert: certificate }, handle);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Runs `scripts/deploy/<name>.ts` with nothing but these settings in its environment. */
async function run(name: string, settings: Record<string, string>, azd: AzdKnowledge = {}) {
  const script = fileURLToPath(new URL(`../../../scripts/deploy/${name}.ts`, import.meta.url));
  const env = { PATH: installFakeAzd(folder, azd), NODE_EXTRA_CA_CERTS: authority, ...settings };
  return promisify(execFile)(process.execPath, [script], { env }).then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    ({ code, stdout, stderr }) => ({ code, output: stdout + stderr }),
  );
}

const azdVaultToken = { 'https://vault.azure.net/.default': 'vault-token' };

const answer = (response: ServerResponse, status: number, body: object) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});
afterAll(() => rm(folder, { recursive: true }));

describe('deploy:prepare', () => {
  const outputs = {
    AZURE_SUBSCRIPTION_ID: '00000000-0000-0000-0000-000000000000',
    AZURE_RESOURCE_GROUP: 'rg-test',
    SERVICE_API_NAME: 'func-api-test',
    // Reserved never to exist (RFC 2606).
    POSTGRES_HOST: 'database.invalid',
    POSTGRES_DATABASE: 'crownsafe',
    DATABASE_ADMIN_NAME: 'admin@example.com',
    APP_IDENTITY_NAME: 'id-api-test',
    APP_IDENTITY_PRINCIPAL_ID: '11111111-1111-1111-1111-111111111111',
  };
  const azd = { tokens: azdVaultToken };

  /** A vault that keeps one secret. */
  async function startVault() {
    const state: { secret?: string; readonly tokens: Set<string | undefined> } = { tokens: new Set() };
    const handle = async (request: IncomingMessage, response: ServerResponse) => {
      state.tokens.add(request.headers.authorization);
      if (request.method === 'PUT') state.secret = JSON.parse(await text(request)).value;
      if (state.secret === undefined) answer(response, 404, { error: { code: 'SecretNotFound' } });
      else answer(response, 200, { value: state.secret });
    };
    const uri = await startServer((...call) => void handle(...call).catch(() => call[1].destroy()));
    return { state, uri };
  }

  it('makes the secret once, shows it to nobody, and says what keeps it from the database', async () => {
    const { state, uri } = await startVault();

    const first = await run('prepare-environment', { ...outputs, AZURE_KEY_VAULT_URI: `${uri}/` }, azd);
    const { secret = '' } = state;
    const second = await run('prepare-environment', { ...outputs, AZURE_KEY_VAULT_URI: uri }, azd);

    expect(first.code).toBe(1);
    expect(first.output).toContain('secret secret-key: made');
    expect(first.output).toContain('app func-api-test: There is no token for https://management.azure.com');
    expect(first.output).toMatch(
      /database\.invalid:5432 is out of reach from here \((ENOTFOUND|EAI_AGAIN)\)/,
    );
    expect(first.output).toContain('azd env set ALLOWED_IP_RANGES');
    expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(second.output).toContain('secret secret-key: is there');
    expect(first.output + second.output).not.toContain(secret);
    expect(state).toEqual({ secret, tokens: new Set(['Bearer vault-token']) });
  });

  it('says that nobody is logged in', async () => {
    const { code, output } = await run('prepare-environment', {
      ...outputs,
      AZURE_KEY_VAULT_URI: 'https://kv.invalid',
    });

    expect(code).toBe(1);
    expect(output).toContain('There is no token for https://vault.azure.net/.default');
    expect(output).toContain('azd auth login');
  });

  it('sends no token in the clear', async () => {
    const { code, output } = await run(
      'prepare-environment',
      { ...outputs, AZURE_KEY_VAULT_URI: 'http://kv.invalid' },
      azd,
    );

    expect(code).toBe(1);
    expect(output).toContain('AZURE_KEY_VAULT_URI is not an https:// address');
  });

  it('says where azd is to be had when it is not installed', async () => {
    const { code, output } = await run('crownsafe', { PATH: '/nowhere' });

    expect(code).toBe(1);
    expect(output).toContain('The Azure Developer CLI is not installed here (https://aka.ms/azd)');
  });

  it('names the values that azd does not know', async () => {
    const { code, output } = await run(
      'prepare-environment',
      {},
      { values: { POSTGRES_HOST: 'database.invalid' } },
    );

    expect(code).toBe(1);
    expect(output).toContain('azd knows no AZURE_SUBSCRIPTION_ID, ');
    expect(output).not.toContain('POSTGRES_HOST');
  });
});

describe('deploy:crownsafe', () => {
  it('reads the secret for the command, and shows it to nobody', async () => {
    const value = 'a-secret-for-tests-only-0123456789abcdef';
    const asked: string[] = [];
    const uri = await startServer(({ method, url }, response) => {
      asked.push(`${method} ${url}`);
      answer(response, 200, { value });
    });
    const values = {
      AZURE_KEY_VAULT_URI: uri,
      AZURE_STORAGE_ACCOUNT_NAME: 'sttest',
      POSTGRES_HOST: 'database.invalid',
      POSTGRES_DATABASE: 'crownsafe',
      DATABASE_ADMIN_NAME: 'admin@example.com',
    };

    const { code, output } = await run('crownsafe', {}, { values, tokens: azdVaultToken });

    expect(code).toBe(1);
    expect(output).toContain('database.invalid:5432 is out of reach from here');
    expect(output).not.toContain(value);
    expect(asked).toEqual(['GET /secrets/secret-key?api-version=7.4']);
  });
});

describe('deploy:backup', () => {
  it('finds the app by azd, and waits until the backup is stored', async () => {
    const keys = new Set<string | string[] | undefined>();
    const SERVICE_API_URI = await startServer(({ method, headers }, response) => {
      keys.add(headers['x-api-key']);
      const [status, word] = method === 'POST' ? ([202, 'queued'] as const) : ([200, 'stored'] as const);
      answer(response, status, { name: 'crownsafe_backup_full_20260820_020000.sql.gz', status: word });
    });

    const ended = await run('backup', { BACKUP_API_KEY: 'csk_id_key' }, { values: { SERVICE_API_URI } });

    expect(ended).toEqual({
      code: 0,
      output: 'backup crownsafe_backup_full_20260820_020000.sql.gz is stored\n',
    });
    expect(keys).toEqual(new Set(['csk_id_key']));
  });

  it('asks for a key', async () => {
    const { code, output } = await run('backup', { SERVICE_API_URI: 'https://api.invalid' });

    expect(code).toBe(1);
    expect(output).toContain('BACKUP_API_KEY is not set');
  });
});
