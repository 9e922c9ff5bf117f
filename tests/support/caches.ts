import { createCaches } from '../../src/lib/cache/caches.ts';
import type { CacheTable } from '../../src/lib/cache/shared-table.ts';
import type { Clock } from '../../src/lib/core/index.ts';
import type { Logger } from '../../src/lib/observability/index.ts';
import { memoryTableStore } from './memory/memory-table-store.ts';

/** The caches of one process, with what they have logged. */
export function cachesOn(clock: Clock, table: CacheTable = memoryTableStore()) {
  const logged: string[] = [];
  const ignore = () => {};
  const loggerOf = (module: string): Logger => ({
    debug: ignore,
    info: (message) => logged.push(`${module}: info: ${message}`),
    warning: (message) => logged.push(`${module}: warning: ${message}`),
    error: ignore,
    child: loggerOf,
  });
  const caches = createCaches({ clock, logger: loggerOf('cache'), table: () => table, instance: 'i1' });
  return { caches, logged };
}
