import { inject } from 'vitest';
import type { StorageConnection } from '../../../src/lib/config/index.ts';
import { type Clock, systemClock } from '../../../src/lib/core/index.ts';
import { createResilience, type ResilienceEvent } from '../../../src/lib/resilience/index.ts';
import { type AzureIdentity, createAzureIdentity } from '../../../src/lib/security/index.ts';
import { createStorage, type Storage } from '../../../src/lib/storage/index.ts';

interface OpenStorageOptions {
  /** Default: the shared Azurite, by its connection string. */
  readonly connection?: StorageConnection;
  readonly identity?: AzureIdentity;
  readonly clock?: Clock;
}

/** A storage under policies of one's own. */
export function openStorage({
  connection = { kind: 'connection-string', value: inject('storageConnectionString') },
  identity = createAzureIdentity(undefined),
  clock = systemClock,
}: OpenStorageOptions = {}): { readonly storage: Storage; readonly events: ResilienceEvent[] } {
  const events: ResilienceEvent[] = [];
  const resilience = createResilience({ clock, onEvent: (event) => events.push(event) });
  const correlationId = () => 'storage-test';
  const storage = createStorage({ connection, identity, resilience, clock, correlationId });
  return { storage, events };
}
