import type { Clock } from '../core/index.ts';
import type { Logger } from '../observability/index.ts';
import type { Region, RegionDeclaration } from './declaration.ts';
import { windowSeconds } from './lookup-window.ts';
import { createMemory, type Memory } from './memory.ts';
import { createRegion } from './region.ts';
import type { CacheStatistics } from './shapes.ts';
import { type CacheTable, createSharedTable } from './shared-table.ts';
import { createTally, percentage, type Tally } from './tally.ts';

/** All that this process keeps so as not to ask again, in regions. */
export interface Caches {
  /** Opens a region. @throws TypeError when its name is taken */
  region<V>(declaration: RegionDeclaration<V>): Region<V>;
  statistics(): CacheStatistics;
}

interface CachesOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Opens the table that shared regions have in common; called at each use. */
  readonly table: () => CacheTable;
  /** Names this process in the statistics. */
  readonly instance: string;
}

interface OpenRegion {
  readonly declaration: { readonly name: string; readonly shared: boolean; readonly maxBytes: number };
  readonly memory: Pick<Memory<unknown>, 'entries' | 'sizeBytes' | 'evictions'>;
  readonly tally: Tally;
}

/** Makes the caches of this process. Nothing is asked before a region needs it. */
export function createCaches({ clock, logger, table: open, instance }: CachesOptions): Caches {
  const regions = new Map<string, OpenRegion>();
  const table = createSharedTable({ clock, logger, open });
  return {
    region<V>(declaration: RegionDeclaration<V>) {
      const { name } = declaration;
      if (regions.has(name)) throw new TypeError(`The cache region ${name} is open already`);
      const memory = createMemory<V>(declaration.maxBytes);
      const tally = createTally(clock);
      regions.set(name, { declaration, memory, tally });
      return createRegion(declaration, {
        clock,
        logger: logger.child(`cache.${name}`),
        table,
        memory,
        tally,
      });
    },
    statistics() {
      const open = [...regions.values()];
      return {
        instance,
        window_seconds: windowSeconds,
        ...lookupsOf(open),
        table_failures: table.failures,
        regions: open.map(describe),
      };
    },
  };
}

function describe(region: OpenRegion): CacheStatistics['regions'][number] {
  const { declaration, memory, tally } = region;
  return {
    name: declaration.name,
    shared: declaration.shared,
    ...lookupsOf([region]),
    max_bytes: declaration.maxBytes,
    evictions: memory.evictions,
    ...tally.counts(),
  };
}

/** What can be summed up over regions. */
function lookupsOf(regions: readonly OpenRegion[]) {
  const sum = (figure: (region: OpenRegion) => number) =>
    regions.reduce((total, region) => total + figure(region), 0);
  const hits = sum(({ tally }) => tally.counts().hits);
  const misses = sum(({ tally }) => tally.counts().misses);
  const recentLookups = sum(({ tally }) => tally.recent().lookups);
  const recentHits = sum(({ tally }) => tally.recent().hits);
  return {
    hits,
    misses,
    hit_rate: percentage(hits, hits + misses),
    recent: { lookups: recentLookups, hit_rate: percentage(recentHits, recentLookups) },
    entries: sum(({ memory }) => memory.entries),
    size_bytes: sum(({ memory }) => memory.sizeBytes),
  };
}
