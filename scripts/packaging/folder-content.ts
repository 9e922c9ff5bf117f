import { createHash } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { LocalError } from '../../local/local-error.ts';

/** What a folder holds. */
export interface FolderContent {
  /** Sorted by path; paths are relative to the folder, with `/`. */
  readonly files: readonly { readonly path: string; readonly sizeBytes: number }[];
  readonly sizeBytes: number;
  /** SHA-256 in hex over path, permissions, size and bytes of every file in order; nothing of times and owners is in it. */
  readonly sha256: string;
}

/** Reads a folder as a whole; throws a {@link LocalError} for a link in it, which whoever packs it may follow, copy or leave out. */
export async function readFolder(folder: string): Promise<FolderContent> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
    .sort();
  const hash = createHash('sha256');
  const files = [];
  for (const path of paths) {
    const status = await lstat(join(folder, path));
    if (!status.isFile()) throw new LocalError(`${path} of the package is no file.`);
    const bytes = await readFile(join(folder, path));
    const mode = (status.mode & 0o777).toString(8);
    hash.update(`${path}\n${mode}\n${bytes.length}\n`).update(bytes);
    files.push({ path, sizeBytes: bytes.length });
  }
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  return { files, sizeBytes, sha256: hash.digest('hex') };
}
