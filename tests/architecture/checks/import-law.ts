import { type Import, importsOf, targetOf } from '../reading/imports.ts';
import type { SourceFile } from '../reading/source-file.ts';

/**
 * The house, from the ground up. A place imports only from lower levels, never from its own: rooms of one level
 * meet in `runtime` through ports.
 */
export const levels: readonly (readonly string[])[] = [
  ['core'],
  ['config', 'resilience', 'observability', 'security'],
  ['http', 'storage', 'database', 'cache', 'outbound'],
  ['access', 'alerts', 'audit', 'files', 'sharing', 'scans', 'reports', 'backup', 'health', 'jobs'],
  [
    'web',
    'authentication',
    'dependencies',
    'gauges',
    'observe-process',
    'observe-resilience',
    'open-secrets',
    'telemetry-destinations',
  ],
  ['runtime'],
  ['functions', 'cli'],
  ['index'],
];

/** Where a package may be imported: rooms, other places, or single files. */
interface PackagePlaces {
  readonly values: readonly string[];
  /** Places that may import its types, but nothing that runs. */
  readonly types?: readonly string[];
}

const domainRooms = levels[3] ?? [];

/** Every package that runs in production has its places here; what is not in the table is refused. */
export const packagePlaces: Readonly<Record<string, PackagePlaces>> = {
  '@azure/data-tables': { values: ['storage'] },
  '@azure/functions': { values: ['index', 'functions'], types: ['http', 'jobs'] },
  '@azure/identity': { values: ['security'] },
  '@azure/keyvault-secrets': { values: ['security'] },
  '@azure/monitor-opentelemetry-exporter': { values: ['observability'] },
  '@azure/storage-blob': { values: ['storage'] },
  '@azure/storage-queue': { values: ['storage'] },
  '@fastify/busboy': { values: ['http'] },
  '@opentelemetry/api': { values: ['observability'] },
  '@opentelemetry/core': { values: ['observability'] },
  '@opentelemetry/exporter-metrics-otlp-http': { values: ['observability'] },
  '@opentelemetry/exporter-prometheus': { values: ['observability'] },
  '@opentelemetry/exporter-trace-otlp-http': { values: ['observability'] },
  '@opentelemetry/resources': { values: ['observability'] },
  '@opentelemetry/sdk-metrics': { values: ['observability'] },
  '@opentelemetry/sdk-trace-base': { values: ['observability'] },
  commander: { values: ['cli'] },
  'content-disposition': { values: ['files', 'reports', 'sharing'] },
  'ipaddr.js': { values: ['outbound'] },
  jose: { values: ['security'] },
  kysely: { values: ['database'] },
  'lru-cache': { values: ['cache'] },
  pg: { values: ['database'] },
  'pg-copy-streams': { values: ['database'] },
  undici: { values: ['outbound'] },
  zod: { values: ['config', 'http', 'cache', 'functions', ...domainRooms] },
};

/** Holds the imports of `src`, and those that reach into it, against the law. */
export function breachesOfImportLaw(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    importsOf(file).flatMap((entry) => {
      const breach = breachOf(file, entry);
      return breach ? [`${file.path}:${entry.line} ${breach}`] : [];
    }),
  );
}

function breachOf(file: SourceFile, entry: Import): string | undefined {
  const { specifier } = entry;
  if (!file.path.startsWith('src/')) return specifier && breachFromOutside(file, specifier);
  if (specifier === undefined)
    return 'imports a computed name: write the specifier out, so that it can be checked';
  if (specifier.startsWith('node:')) return undefined;
  const target = targetOf(file, specifier);
  return target === undefined
    ? breachByPackage(file.path, specifier, entry.typeOnly)
    : breachByPath(file.path, target);
}

/** local, scripts and bench are guests: they use the rooms by their face. Tests may look inside. */
function breachFromOutside(file: SourceFile, specifier: string): string | undefined {
  const target = targetOf(file, specifier);
  if (target === undefined || !target.startsWith('src/') || isFace(target)) return undefined;
  return `imports ${target}: import the index.ts of its room`;
}

function breachByPath(path: string, target: string): string | undefined {
  if (target === 'package.json') return undefined;
  if (!target.startsWith('src/'))
    return `imports ${target}: src stands on its own, move what it needs into src`;
  const [from, to] = [placeOf(path), placeOf(target)];
  if (from === to) return undefined;
  const [fromLevel, toLevel] = [levelOf(from), levelOf(to)];
  if (fromLevel < 0) return `lies in ${from}, which has no level: give it one in the table of the import law`;
  if (toLevel < 0) return `imports ${to}, which has no level: give it one in the table of the import law`;
  if (toLevel > fromLevel) return `imports ${to}, which is above ${from}: pass it in through a port`;
  if (toLevel === fromLevel)
    return `imports ${to}, which is beside ${from}: let them meet in runtime through a port`;
  return isFace(target) ? undefined : `imports ${target}: import the index.ts of its room`;
}

function breachByPackage(path: string, specifier: string, typeOnly: boolean): string | undefined {
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  const places = packagePlaces[name];
  if (!places)
    return `imports ${name}, which has no place: add it to the table of the import law, or do without`;
  const place = placeOf(path);
  if (places.values.includes(place)) return undefined;
  if (!places.types?.includes(place)) return `imports ${name}, which belongs to ${places.values.join(', ')}`;
  return typeOnly ? undefined : `imports ${name} at run time; here only its types may be used`;
}

/** The room or other place a path of src lies in. */
function placeOf(path: string): string {
  const [, first = '', second = ''] = path.split('/');
  return (first === 'lib' ? second : first).replace(/\.ts$/, '');
}

function levelOf(place: string): number {
  return levels.findIndex((places) => places.includes(place));
}

/** Rooms show their index.ts only; places above them have no inside to hide. */
function isFace(target: string): boolean {
  return !target.startsWith('src/lib/') || /^src\/lib\/[^/]+\/index\.ts$/.test(target);
}
