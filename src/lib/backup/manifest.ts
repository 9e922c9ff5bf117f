import * as z from 'zod';
import { AppError, collect, isAppError } from '../core/index.ts';
import type { BlobStore } from '../storage/index.ts';
import { backupTableShape } from './shapes.ts';

/** What a stored backup holds. It lies beside the dump, and being there means that the dump is whole. */
const manifestShape = z.object({
  format_version: z.literal(1),
  name: z.string(),
  kind: z.literal('full'),
  database: z.string(),
  server_version: z.string(),
  pg_dump_version: z.string(),
  started_at: z.string(),
  finished_at: z.string(),
  dump_bytes: z.int(),
  stored_bytes: z.int(),
  sha256: z.string(),
  encrypted: z.literal(false),
  tables: z.array(backupTableShape),
});

export type Manifest = z.infer<typeof manifestShape>;

/** Some hundred bytes per table. */
const maxManifestBytes = 64 * 1024 * 1024;

export function manifestName(backupName: string): string {
  return `${backupName}.manifest.json`;
}

export async function storeManifest(
  blobs: BlobStore,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<void> {
  const content = Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`);
  await blobs.upload(manifestName(manifest.name), content, { contentType: 'application/json', signal });
}

/**
 * Reads a backup's manifest; `undefined` when there is none.
 *
 * @throws AppError `upstream` when what is there is no manifest
 */
export async function readManifest(
  blobs: BlobStore,
  backupName: string,
  signal: AbortSignal,
): Promise<Manifest | undefined> {
  try {
    const { body } = await blobs.download(manifestName(backupName), { signal });
    const parsed = manifestShape.safeParse(JSON.parse((await collect(body, maxManifestBytes)).toString()));
    if (parsed.success) return parsed.data;
    throw new AppError('upstream', 'The manifest of this backup is damaged', { cause: parsed.error });
  } catch (error) {
    if (isAppError(error, 'not_found')) return undefined;
    if (error instanceof SyntaxError) {
      throw new AppError('upstream', 'The manifest of this backup is damaged', { cause: error });
    }
    throw error;
  }
}
