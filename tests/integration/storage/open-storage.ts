import { inject } from 'vitest';
import { systemClock } from '../../../src/lib/core/index.ts';
import { createResilience, type ResilienceEvent } from '../../../src/lib/resilience/index.ts';
import { createStorage, type Storage } from '../../../src/lib/storage/index.ts';

/** The storage of the shared Azurite, under policies of one's own. */
export function openStorage(): { readonly storage: Storage; readonly events: ResilienceEvent[] } {
  const events: ResilienceEvent[] = [];
  const resilience = createResilience({ clock: systemClock, onEvent: (event) => events.push(event) });
  const storage = createStorage({
    connection: { kind: 'connection-string', value: inject('storageConnectionString') },
    resilience,
    clock: systemClock,
    correlationId: () => undefined,
  });
  return { storage, events };
}
