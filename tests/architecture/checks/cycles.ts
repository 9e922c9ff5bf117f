import { importsOf, targetOf } from '../reading/imports.ts';
import type { SourceFile } from '../reading/source-file.ts';

/** Files that import one another in a circle, by value, by type or lazily; each circle once, as `a → b → a`. */
export function importCycles(files: readonly SourceFile[]): string[] {
  const graph = new Map(files.map((file) => [file.path, targetsOf(file)]));
  const finished = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]) => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push([...trail.slice(start), path].join(' → '));
    if (start >= 0 || finished.has(path)) return;
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path]);
    finished.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return cycles;
}

function targetsOf(file: SourceFile): Set<string> {
  const targets = importsOf(file).flatMap(({ specifier }) => (specifier && targetOf(file, specifier)) || []);
  return new Set(targets);
}
