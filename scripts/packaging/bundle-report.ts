import { basename } from 'node:path';
import type { Metafile } from 'esbuild';
import { entryPoints, loadedWith } from '../bundle.ts';
import type { FolderContent } from './folder-content.ts';

type Output = Metafile['outputs'][string];

/** A file of code in the bundle. */
export interface Chunk {
  readonly name: string;
  readonly sizeBytes: number;
  /** Whether it is loaded before the first function is registered. */
  readonly atStart: boolean;
  /** Otherwise: the sources or chunks that load it, or who runs it. */
  readonly loadedBy: readonly string[];
  /** Bytes by npm package, room of ours (`src/lib/files`) or file, largest first. */
  readonly parts: ReadonlyMap<string, number>;
}

/** Tells what the chunks of a bundle hold and when they are loaded, largest first. */
export function describeChunks(metafile: Metafile): Chunk[] {
  const atStart = new Set(loadedWith(metafile, 'dist/index.js'));
  const chunks = Object.entries(metafile.outputs).filter(([path]) => path.endsWith('.js'));
  return chunks
    .map(([path, output]) => ({
      name: basename(path),
      sizeBytes: output.bytes,
      atStart: atStart.has(path),
      loadedBy: loadersOf(path, output, metafile),
      parts: partsOf(output),
    }))
    .sort((a, b) => b.sizeBytes - a.sizeBytes);
}

function loadersOf(path: string, { entryPoint }: Output, { inputs, outputs }: Metafile): string[] {
  const runBy = Object.entries(entryPoints).find(([source]) => source === entryPoint)?.[1];
  const sources = Object.entries(inputs).filter(([, { imports }]) =>
    imports.some((one) => one.kind === 'dynamic-import' && one.path === entryPoint),
  );
  const chunks = Object.entries(outputs).filter(([, { imports }]) =>
    imports.some((one) => one.kind === 'import-statement' && one.path === path),
  );
  return [
    ...(runBy ? [runBy] : []),
    ...sources.map(([source]) => source),
    ...chunks.map(([chunk]) => basename(chunk)),
  ];
}

function partsOf({ inputs }: Output): Map<string, number> {
  const parts = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
    const name = partOf(path);
    parts.set(name, (parts.get(name) ?? 0) + bytesInOutput);
  }
  return new Map([...parts].filter(([, bytes]) => bytes > 0).sort(([, a], [, b]) => b - a));
}

function partOf(path: string): string {
  const [, name] = /.*(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
  return name ?? /^src\/(?:lib\/)?[^/]+/.exec(path)?.[0] ?? path;
}

/** The same for a person to read, with what else lies in the package. */
export function bundleReport(metafile: Metafile, { files }: FolderContent): string {
  const chunks = describeChunks(metafile);
  const others = new Map<string, number>();
  for (const { path, sizeBytes } of files) {
    const name = path.startsWith('node_modules/') ? `node_modules/${partOf(path)}` : path;
    if (!chunks.some((chunk) => chunk.name === name)) others.set(name, (others.get(name) ?? 0) + sizeBytes);
  }
  return [
    ...describeGroup(
      'loaded at start',
      chunks.filter(({ atStart }) => atStart),
    ),
    ...describeGroup(
      'loaded when needed',
      chunks.filter(({ atStart }) => !atStart),
    ),
    line('beside the code', sum([...others.values()])),
    ...[...others].map(([name, bytes]) => line(`  ${name}`, bytes)),
  ].join('\n');
}

function describeGroup(title: string, chunks: readonly Chunk[]): string[] {
  return [line(title, sum(chunks.map(({ sizeBytes }) => sizeBytes))), ...chunks.flatMap(describeChunk)];
}

function describeChunk({ name, sizeBytes, atStart, loadedBy, parts }: Chunk): string[] {
  const holds = [...parts].map(([part, bytes]) => `${part} ${kilobytes(bytes)}`).join(', ');
  const by = atStart ? [] : [`    by ${loadedBy.join(', ')}`];
  return [line(`  ${name}`, sizeBytes), ...by, ...(holds ? [`    ${holds}`] : [])];
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, next) => total + next, 0);
const line = (title: string, bytes: number) => `${title.padEnd(44)}${kilobytes(bytes).padStart(8)} KB`;
const kilobytes = (bytes: number) => (bytes / 1024).toFixed(bytes < 10_240 ? 1 : 0);
