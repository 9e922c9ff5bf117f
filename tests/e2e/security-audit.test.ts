import { execFile, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import type * as z from 'zod';
import { startLocalHost } from '../../local/host/index.ts';
import { pickFreePorts } from '../../local/services/ports.ts';
import type { securityAuditShape } from '../../src/lib/health/index.ts';
import { adminApi, apiWith, bodyOf, expectProblem, newCaller } from '../support/api.ts';
import { testSecretKey } from '../support/app.ts';
import { makeTemporaryFolder } from '../support/temporary-folder.ts';

const path = '/api/v1/monitoring/security-audit';
const weakKey = 'a-secret-for-tests-only-0123456789abcdef';

/** The settings of the shared app, as an operator's command would have them. */
const settings = () => ({
  PATH: process.env['PATH'] ?? '',
  ENVIRONMENT: 'test',
  LOG_LEVEL: 'error',
  SECRET_KEY: testSecretKey,
  DATABASE_URL: inject('appDatabaseUrl'),
  AzureWebJobsStorage: inject('storageConnectionString'),
});

function doctor(changes: Readonly<Record<string, string>>) {
  const command = join(inject('appFolder'), 'crownsafe.js');
  return promisify(execFile)(process.execPath, [command, 'doctor'], {
    env: { ...settings(), ...changes },
  }).then(
    (output) => ({ code: 0, ...output }),
    (error) => ({ code: error.code, stdout: String(error.stdout), stderr: String(error.stderr) }),
  );
}

describe('the security audit over HTTP', () => {
  it('is for admins only', async () => {
    await expectProblem(await apiWith()(path), 401, 'unauthorized');
    await expectProblem(await (await newCaller('monitoring:read'))(path), 403, 'forbidden');
  });

  it('finds one thing in the app that the other tests run on, having asked database and storage', async () => {
    const report = await bodyOf<z.infer<typeof securityAuditShape>>(adminApi()(path));

    // Its tokens name no issuer.
    expect(report.findings.map(({ id }) => id)).toEqual(['jwt_for_anybody']);
    expect(report.counts).toEqual({ critical: 0, high: 1, medium: 0, low: 0, unknown: 0 });
  });
});

describe('crownsafe doctor', () => {
  it('tries every dependency, and ends well when all is well', async () => {
    const { code, stdout } = await doctor({});

    expect(stdout.match(/^ok +[\w-]+, \d+ ms$/gm)?.map((line) => line.split(/[ ,]+/)[1])).toEqual([
      'database',
      'blob',
      'backup-blob',
      'queue',
      'table',
      'migrations',
    ]);
    expect(stdout).toMatch(/^0 of 6 checks failed; findings: none$/m);
    expect(code).toBe(0);
  });

  it('ends with 1 for what is critical, and says how to mend it without a word of the secret', async () => {
    const { code, stdout, stderr } = await doctor({ SECRET_KEY: weakKey, CHAOS: 'webhook:fault=1' });

    expect(stdout).toMatch(/^critical +weak_secret_key: .+\n +Set SECRET_KEY to /m);
    expect(stdout).toMatch(/^high +chaos_on: /m);
    expect(stdout).toMatch(/^0 of 6 checks failed; findings: 1 critical, 1 high$/m);
    expect(code).toBe(1);
    expect(stdout + stderr).not.toContain(weakKey);
  });

  it('ends with 1 for a login that may do anything', async () => {
    const { code, stdout } = await doctor({ DATABASE_URL: inject('databaseUrl') });

    expect(stdout).toMatch(
      /^critical +database_superuser: .+ who is superuser, .+\n +crownsafe roles apply /m,
    );
    expect(code).toBe(1);
  });

  it('ends with 1 when a dependency is out of reach, and asks the others all the same', async () => {
    const [port = 0] = await pickFreePorts(1);

    const { code, stdout } = await doctor({
      DATABASE_URL: `postgresql://app:geheim-geheim@127.0.0.1:${port}/crownsafe`,
    });

    expect(stdout).toMatch(/^failed +database: .*ECONNREFUSED/m);
    expect(stdout).toMatch(/^failed +migrations: .*ECONNREFUSED/m);
    expect(stdout).toMatch(/^ok +table, /m);
    expect(stdout).toMatch(/^unknown +database_unknown: /m);
    expect(stdout).toMatch(/^2 of 6 checks failed; /m);
    expect(code).toBe(1);
    expect(stdout).not.toContain('geheim');
  });
});

describe('the start of the app in production', () => {
  /** Loads the entry as the worker does; what it would register has nowhere to go. */
  async function load(changes: Readonly<Record<string, string>>) {
    const entry = pathToFileURL(join(inject('appFolder'), 'index.js')).href;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', `await import('${entry}')`], {
      env: { ...settings(), ENVIRONMENT: 'production', ...changes },
    });
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { stdout, stderr };
  }

  it('is refused for what is critical, all of it at once', async () => {
    const { stdout, stderr } = await load({ SECRET_KEY: weakKey, EASY_AUTH: 'true' });

    expect(stderr).toMatch(/ConfigError: The settings are not safe in production:\n {2}- weak_secret_key: /);
    expect(stderr).toMatch(/^ {2}- easy_auth_without_platform: /m);
    expect(stdout + stderr).not.toContain(weakKey);
  });

  it('is not refused for anything less, which is in the log', async () => {
    const folder = makeTemporaryFolder();
    const lines: string[] = [];
    const host = await startLocalHost({
      appFolder: inject('appFolder'),
      port: 0,
      env: {
        ...settings(),
        LOG_LEVEL: 'info',
        ENVIRONMENT: 'production',
        FUNCTIONS_WORKER_RUNTIME: 'node',
        'AzureWebJobs.jobs.Disabled': 'true',
      },
      stateFolder: join(folder, 'host'),
      log: (_, line) => lines.push(line),
    });
    onTestFinished(async () => {
      await host.stop();
      await rm(folder, { recursive: true, force: true });
    });
    const findings = () =>
      lines
        .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))
        .filter(({ finding }) => finding !== undefined);

    await expect
      .poll(findings, { timeout: 10_000 })
      .toContainEqual(expect.objectContaining({ level: 'info', finding: 'no_telemetry', severity: 'low' }));
    expect(findings()).toContainEqual(
      expect.objectContaining({ level: 'warning', finding: 'backups_beside_files', severity: 'high' }),
    );
    expect(findings().filter(({ severity }) => severity === 'critical')).toEqual([]);
  });
});
