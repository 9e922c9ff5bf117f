import { randomUUID } from 'node:crypto';
import { BlobServiceClient } from '@azure/storage-blob';
import { expect, inject, it } from 'vitest';
import { openStorage } from './open-storage.ts';

const { signal } = new AbortController();

it('tells a public container from a private one, and the clock of the service', async () => {
  const { storage } = openStorage();
  const service = BlobServiceClient.fromConnectionString(inject('storageConnectionString'));
  const containers = (['blob', 'container', undefined] as const).map((access) => ({
    name: `inspect-${randomUUID()}`,
    options: access === undefined ? {} : { access },
  }));
  for (const { name, options } of containers) await service.getContainerClient(name).create(options);

  const reviews = await Promise.all(containers.map(({ name }) => storage.inspect(name, signal)));

  expect(reviews.map(({ isPublic }) => isPublic)).toEqual([true, true, false]);
  for (const { serverTime = 0 } of reviews) expect(Math.abs(serverTime - Date.now())).toBeLessThan(60_000);
});

it('takes a container that is not there yet for a private one', async () => {
  const review = await openStorage().storage.inspect(`inspect-${randomUUID()}`, signal);

  expect(review).toEqual({ isPublic: false });
});
