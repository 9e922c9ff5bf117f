import type { ImportKind, Metafile } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { bundleReport, describeChunks } from '../../../scripts/packaging/bundle-report.ts';

interface Import {
  path: string;
  kind: ImportKind;
  external?: boolean;
}

const statically = (name: string): Import => ({ path: `dist/${name}`, kind: 'import-statement' });
const lazily = (path: string): Import => ({ path, kind: 'dynamic-import' });

function output(bytes: number, inputs: Record<string, number>, imports: Import[] = [], entryPoint?: string) {
  const entries = Object.entries(inputs).map(([path, bytesInOutput]) => [path, { bytesInOutput }]);
  const common = { bytes, inputs: Object.fromEntries(entries), imports, exports: [] };
  return entryPoint ? { ...common, entryPoint } : common;
}

const sdk = 'node_modules/@azure/sdk/index.js';
const metafile: Metafile = {
  inputs: {
    'src/lib/storage/account.ts': { bytes: 1, imports: [lazily(sdk)] },
    [sdk]: { bytes: 1, imports: [] },
  },
  outputs: {
    'dist/index.js': output(
      30_000,
      { 'src/index.ts': 2000, 'src/lib/storage/account.ts': 20_000, 'src/lib/storage/blob.ts': 5000 },
      [
        statically('chunk.js'),
        lazily('dist/sdk.js'),
        { path: 'node:fs', kind: 'import-statement', external: true },
      ],
      'src/index.ts',
    ),
    'dist/index.js.map': output(90_000, {}),
    'dist/chunk.js': output(1024, {
      'node_modules/a/node_modules/pg/index.js': 1000,
      'node_modules/a/b.js': 0,
    }),
    'dist/sdk.js': output(40_960, { [sdk]: 40_000 }, [statically('core.js')], sdk),
    'dist/core.js': output(2048, { 'node_modules/@azure/core/x.js': 2000 }),
    'dist/crownsafe.js': output(
      512,
      { 'src/cli/crownsafe.ts': 500 },
      [statically('chunk.js')],
      'src/cli/crownsafe.ts',
    ),
  },
};

describe('the report of a bundle', () => {
  it('tells what each chunk holds and what loads it, largest first', () => {
    const chunks = describeChunks(metafile).map(({ name, atStart, loadedBy, parts }) => ({
      [name]: [atStart, loadedBy, Object.fromEntries(parts)],
    }));

    expect(chunks).toEqual([
      { 'sdk.js': [false, ['src/lib/storage/account.ts'], { '@azure/sdk': 40_000 }] },
      { 'index.js': [true, ['the Functions worker'], { 'src/lib/storage': 25_000, 'src/index.ts': 2000 }] },
      { 'core.js': [false, ['sdk.js'], { '@azure/core': 2000 }] },
      { 'chunk.js': [true, ['index.js', 'crownsafe.js'], { pg: 1000 }] },
      { 'crownsafe.js': [false, ['the operator, as command'], { 'src/cli': 500 }] },
    ]);
  });

  it('is readable', () => {
    const files = ['host.json', 'index.js', 'node_modules/sharp/a.js', 'node_modules/sharp/b.js'];
    const content = { files: files.map((path) => ({ path, sizeBytes: 1024 })), sizeBytes: 4096, sha256: '' };

    expect(bundleReport(metafile, content).split('\n')).toEqual([
      'loaded at start                                   30 KB',
      '  index.js                                        29 KB',
      '    src/lib/storage 24, src/index.ts 2.0',
      '  chunk.js                                       1.0 KB',
      '    pg 1.0',
      'loaded when needed                                43 KB',
      '  sdk.js                                          40 KB',
      '    by src/lib/storage/account.ts',
      '    @azure/sdk 39',
      '  core.js                                        2.0 KB',
      '    by sdk.js',
      '    @azure/core 2.0',
      '  crownsafe.js                                   0.5 KB',
      '    by the operator, as command',
      '    src/cli 0.5',
      'beside the code                                  3.0 KB',
      '  host.json                                      1.0 KB',
      '  node_modules/sharp                             2.0 KB',
    ]);
  });
});
