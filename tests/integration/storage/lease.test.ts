import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { describeLeases } from '../../support/contract/leases.ts';
import { makeTemporaryFolder } from '../../support/temporary-folder.ts';
import { openLeases, openLocks } from './open-locks.ts';

const { signal } = new AbortController();
const connectionString = inject('storageConnectionString');
const shortestSeconds = 15;
const holder = fileURLToPath(new URL('lease-holder.ts', import.meta.url));

const children: ChildProcess[] = [];
const folder = makeTemporaryFolder();
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

function startHolder(...args: string[]): ChildProcess & { stdout: NodeJS.ReadableStream } {
  const child = spawn(process.execPath, [holder, connectionString, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
}

describeLeases('Azurite', openLeases(connectionString, `leases-${randomUUID()}`, 60_000), 60_000);

describe('a lock between processes', () => {
  it('lets one process in at a time', async () => {
    const container = `locks-${randomUUID()}`;
    const inside = join(folder, 'inside');
    const contend = () => startHolder(container, 'a', '60', inside, '15');

    const ends = await Promise.all([contend(), contend(), contend()].map((child) => once(child, 'exit')));

    expect(ends).toEqual([
      [0, null],
      [0, null],
      [0, null],
    ]);
  });

  it("is free again when a killed holder's lease has ended, and not before", {
    timeout: 25_000,
  }, async () => {
    const container = `locks-${randomUUID()}`;
    const lock = openLocks(connectionString, container, shortestSeconds * 1000);
    const startedMs = performance.now();
    const child = startHolder(container, 'a', String(shortestSeconds));
    await once(child.stdout, 'data');

    child.kill('SIGKILL');
    await once(child, 'exit');
    const killedMs = performance.now();
    const tryIt = () => lock.withLease('a', async () => {}, { signal });
    await expect.poll(tryIt, { timeout: 20_000, interval: 200 }).toBe(true);

    const freeMs = performance.now();
    expect(freeMs - startedMs).toBeGreaterThan(shortestSeconds * 1000);
    expect(freeMs - killedMs).toBeLessThan(shortestSeconds * 1000 + 2_000);
  });

  it('is lost by a holder whose lease somebody has broken', { timeout: 25_000 }, async () => {
    const container = `locks-${randomUUID()}`;
    const lock = openLocks(connectionString, container, shortestSeconds * 1000);
    const blob = BlobServiceClient.fromConnectionString(connectionString)
      .getContainerClient(container)
      .getBlobClient('a');

    const losing = lock.withLease(
      'a',
      async (held) => {
        await blob.getBlobLeaseClient().breakLease(0);
        await once(held, 'abort');
      },
      { signal },
    );

    await expect(losing).rejects.toMatchObject({ name: 'AppError', code: 'conflict' });
  });
});
