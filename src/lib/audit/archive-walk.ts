import type { BlobStore } from '../storage/index.ts';
import { archivedSeal } from './seals.ts';

/** The names in the archive, walked through seal by seal, so that no more than a page of them is in memory. */
export interface ArchiveWalk {
  /** The names of one seal, or of none; the seals are asked for in order. */
  namesOf(seal: number): Promise<string[]>;
  /** The seal of the next name, if there is any. */
  next(): Promise<number | undefined>;
}

/** Begins at a seal; what is in the archive but not ours is passed over. */
export function walkArchive(archive: BlobStore, from: number, signal: AbortSignal): ArchiveWalk {
  const names = listNames(archive, from, signal);
  let ahead: { readonly seal: number; readonly name: string } | undefined;
  const next = async () => {
    ahead ??= (await names.next()).value ?? undefined;
    return ahead?.seal;
  };
  return {
    next,
    async namesOf(seal) {
      const found: string[] = [];
      for (let at = await next(); at !== undefined && at <= seal; at = await next()) {
        if (at === seal && ahead) found.push(ahead.name);
        ahead = undefined;
      }
      return found;
    },
  };
}

async function* listNames(archive: BlobStore, from: number, signal: AbortSignal) {
  for await (const { name } of archive.list('', { signal })) {
    const seal = archivedSeal(name);
    if (seal !== undefined && seal >= from) yield { seal, name };
  }
}
