/**
 * Makes src/lib/backup/engine/vendor/pg_dump.{js,wasm} again from the npm package that carries them. Run it by hand
 * when the version changes: set `release` and SHA256SUMS to the new one. Nothing is written unless every digest agrees.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const release = {
  spec: '@electric-sql/pglite-tools@0.4.8',
  sha256: '554b62bf6c21100b23151631dab1fef365b85e645ed61c8d0788b8a2f73b4468',
};
const vendorFolder = join(import.meta.dirname, '../src/lib/backup/engine/vendor');

const workFolder = mkdtempSync(join(tmpdir(), 'vendor-pg-dump-'));
try {
  const dist = join(unpackRelease(workFolder), 'dist');
  const files = {
    'pg_dump.js': loaderFromSourceMap(dist),
    'pg_dump.wasm': readFileSync(join(dist, 'pg_dump.wasm')),
  };
  const expected = readFileSync(join(vendorFolder, 'SHA256SUMS'), 'utf8');
  for (const [name, content] of Object.entries(files)) {
    const line = `${sha256(content)}  ${name}`;
    if (!expected.split('\n').includes(line)) throw new Error(`SHA256SUMS does not hold "${line}"`);
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(vendorFolder, name), content);
  console.log(`vendored pg_dump.js and pg_dump.wasm of ${release.spec}`);
} finally {
  rmSync(workFolder, { recursive: true });
}

/** Fetches the package and unpacks it; returns the package's folder. */
function unpackRelease(folder: string): string {
  execFileSync('npm', ['pack', release.spec, '--silent', '--pack-destination', folder]);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  if (!tarball) throw new Error(`npm pack of ${release.spec} made no tarball`);
  const digest = sha256(readFileSync(join(folder, tarball)));
  if (digest !== release.sha256) throw new Error(`${tarball} has SHA-256 ${digest}`);
  execFileSync('tar', ['-xzf', tarball], { cwd: folder });
  return join(folder, 'package');
}

/** The package bundles the Emscripten loader; its source map still holds the file as it was. */
function loaderFromSourceMap(dist: string): Buffer {
  const mapName = readdirSync(dist).find((name) => /^chunk-.*\.js\.map$/.test(name));
  if (!mapName) throw new Error('the package has no source map');
  const map: { sources: string[]; sourcesContent: string[] } = JSON.parse(
    readFileSync(join(dist, mapName), 'utf8'),
  );
  const loader = map.sourcesContent[map.sources.findIndex((name) => name.endsWith('release/pg_dump.js'))];
  if (loader === undefined) throw new Error('the source map does not hold release/pg_dump.js');
  return Buffer.from(loader);
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
