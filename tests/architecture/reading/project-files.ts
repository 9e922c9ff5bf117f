import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSource, type SourceFile, type TextFile } from './source-file.ts';

/** The folder of the repository, with a separator at its end. */
export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Paths of all files below a folder of the repository (all of it by default), without what .gitignore names and without vendored code. */
export function listFiles(folder = ''): string[] {
  const skipped = new Set(['.git', 'vendor', ...ignoredNames()]);
  const found: string[] = [];
  const visit = (directory: string) => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (skipped.has(entry.name) || entry.name.endsWith('.log')) continue;
      const path = join(directory, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (entry.isFile()) found.push(relative(root, path).split(sep).join('/'));
    }
  };
  try {
    visit(join(root, folder));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return found.sort();
}

function ignoredNames(): string[] {
  const lines = readText('.gitignore').split('\n');
  return lines
    .map((line) => line.trim().replace(/\/$/, ''))
    .filter((line) => line !== '' && !line.includes('*'));
}

/** The text of one file of the repository. */
export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** The TypeScript files below the given folders. */
export function readTypeScript(...folders: string[]): TextFile[] {
  const paths = folders.flatMap(listFiles).filter((path) => path.endsWith('.ts'));
  return paths.map((path) => ({ path, text: readText(path) }));
}

/** The TypeScript files below the given folders, parsed. */
export function readSources(...folders: string[]): SourceFile[] {
  return readTypeScript(...folders).map(({ path, text }) => parseSource(path, text));
}
