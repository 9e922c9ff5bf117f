import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { localHostname, pickFreePorts, requireFreePort } from '../../../local/services/ports.ts';
import { startPostgres } from '../../../local/services/postgres.ts';
import { type Services, startServices } from '../../../local/services/start-services.ts';
import { createDatabase, dropDatabase } from '../../support/databases.ts';
import { makeTemporaryFolder } from '../../support/temporary-folder.ts';

async function query(databaseUrl: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

function parentOf(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }));
}

const blobEndpoint = (connectionString: string) => /BlobEndpoint=([^;]+)/.exec(connectionString)?.[1] ?? '';

describe('the local services', () => {
  const folder = makeTemporaryFolder();
  const exits: string[] = [];
  let services: Services;

  beforeAll(async () => {
    services = await startServices({
      folder,
      temporary: true,
      onUnexpectedExit: (name) => exits.push(name),
    });
  });
  afterAll(async () => {
    await services.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('come up with an empty database and a storage account', async () => {
    const tables = await query(
      services.databaseUrl,
      "select from pg_tables where schemaname not in ('pg_catalog', 'information_schema')",
    );
    const storage = await fetch(`${blobEndpoint(services.storageConnectionString)}?comp=list`);

    expect(tables).toEqual([]);
    expect(storage.status).toBe(403);
  });

  it('keep the data and the address when PostgreSQL is stopped and started', async () => {
    await query(services.databaseUrl, 'create table kept as select 42 as answer');

    await services.postgres.stop();
    await expect(query(services.databaseUrl, 'select')).rejects.toThrow('ECONNREFUSED');
    await services.postgres.start();

    expect(await query(services.databaseUrl, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  it('keep the address when Azurite is stopped and started', async () => {
    const endpoint = blobEndpoint(services.storageConnectionString);

    await services.azurite.stop();
    await expect(fetch(endpoint)).rejects.toThrow();
    await services.azurite.start();

    expect((await fetch(endpoint)).status).toBe(400);
  });

  it('report nothing when they were asked to stop', () => {
    expect(exits).toEqual([]);
  });

  it('report a service that ends by itself', async () => {
    const [row] = await query(services.databaseUrl, "select pg_read_file('postmaster.pid') as lock");
    process.kill(Number.parseInt((row as { lock: string }).lock, 10), 'SIGQUIT');

    await vi.waitFor(() => expect(exits).toEqual(['PostgreSQL']), 10_000);

    await services.postgres.stop();
    await services.postgres.start();
    expect(await query(services.databaseUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});

describe('services whose parent was killed', () => {
  it('end, and take their temporary folder with them', async () => {
    const folder = makeTemporaryFolder();
    const parent = fork(new URL('./services-parent.ts', import.meta.url), [folder], { execArgv: [] });
    const [databaseUrl] = (await once(parent, 'message')) as [string];

    parent.kill('SIGKILL');

    await vi.waitFor(() => expect(existsSync(folder)).toBe(false), 10_000);
    await expect(query(databaseUrl, 'select')).rejects.toThrow('ECONNREFUSED');
  });
});

describe('a PostgreSQL that lost its guard', () => {
  it('is ended before the next one starts on its data and port', async () => {
    const folder = makeTemporaryFolder();
    const [port = 0] = await pickFreePorts(1);
    const first = await startPostgres({ folder, port, temporary: true });
    await query(first.url, 'create table kept as select 42 as answer');
    const lock = readFileSync(join(first.folder, 'data', 'postmaster.pid'), 'utf8');
    process.kill(parentOf(Number.parseInt(lock, 10)), 'SIGKILL');

    const second = await startPostgres({ folder, port, temporary: true });

    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    expect(readFileSync(join(first.folder, 'data', 'postmaster.pid'), 'utf8')).not.toBe(lock);
    await second.stop();
    await rm(folder, { recursive: true });
  });

  it('does not keep the next one from starting when its number belongs to another program now', async () => {
    const folder = makeTemporaryFolder();
    const [port = 0] = await pickFreePorts(1);
    const first = await startPostgres({ folder, port, temporary: true });
    const lockFile = join(first.folder, 'data', 'postmaster.pid');
    const lock = readFileSync(lockFile, 'utf8');
    await first.stop();
    writeFileSync(lockFile, lock.replace(/^\d+/, String(process.pid)));

    const second = await startPostgres({ folder, port, temporary: true });

    expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await second.stop();
    await rm(folder, { recursive: true });
  });
});

describe('a port that is taken', () => {
  it('is named together with its purpose and the variable that changes it', async () => {
    const server = createServer().listen(0, localHostname);
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;

    const attempt = requireFreePort(port, 'the app', 'PORT');

    await expect(attempt).rejects.toThrow(
      `Port ${port}, wanted by the app, is taken by another program. Stop what uses it, or choose another: PORT=${port + 1000} npm start`,
    );
    server.close();
  });
});

describe('a database for one test file', () => {
  it('is empty and separate from the shared one', async () => {
    const shared = inject('databaseUrl');
    const own = await createDatabase(shared);
    await query(own, 'create table mine ()');

    const inShared = await query(shared, "select from pg_tables where tablename = 'mine'");
    await dropDatabase(own);

    expect(inShared).toEqual([]);
    await expect(query(own, 'select')).rejects.toThrow('does not exist');
  });
});
