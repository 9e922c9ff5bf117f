import { beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, loadedWith, makeBundle } from '../../scripts/bundle.ts';
import { type Chunk, describeChunks } from '../../scripts/packaging/bundle-report.ts';
import type { PackageLock } from '../../scripts/packaging/locked-packages.ts';
import { readText, root } from './reading/project-files.ts';

/**
 * What is loaded at each cold start. Raise it knowingly: 1.5 MB take about 85 ms to import, and what not every
 * request needs can be loaded when it is needed, by `import()`.
 */
const startLimitBytes = 1_800_000;

/** Packages that are worth their while only for some invocations. */
const onDemand =
  /^(?:@azure\/(?!functions(?:-extensions-base)?$)|@azure-rest\/|@typespec\/|@opentelemetry\/(?:exporter-|otlp-)|apache-arrow|pg-copy-streams|commander|jose|sharp|undici|zxing)/;

describe('the bundle', () => {
  let bundle: Bundle;
  let chunks: readonly Chunk[];

  beforeAll(async () => {
    bundle = await makeBundle(root);
    chunks = describeChunks(bundle.metafile);
  });

  it('loads no SDK at start', () => {
    const loaded = chunks.filter(({ atStart }) => atStart).flatMap(({ parts }) => [...parts.keys()]);
    const later = chunks.filter(({ atStart }) => !atStart).flatMap(({ parts }) => [...parts.keys()]);

    expect(loaded.filter((part) => onDemand.test(part))).toEqual([]);
    expect(loaded).toContain('@azure/functions');
    expect(later).toEqual(expect.arrayContaining(['@azure/storage-blob', '@azure/core-client', 'commander']));
  });

  it('loads neither pg_dump nor a way to write it at start', () => {
    const sources = loadedWith(bundle.metafile, 'dist/index.js').flatMap((path) =>
      Object.keys(bundle.metafile.outputs[path]?.inputs ?? {}),
    );

    expect(sources.filter((path) => /vendor|dump-worker/.test(path))).toEqual([]);
    expect(sources).toContain('src/lib/backup/engine/pg-dump-thread.ts');
  });

  it('starts small', () => {
    const startBytes = chunks.reduce((sum, { atStart, sizeBytes }) => sum + (atStart ? sizeBytes : 0), 0);

    expect(startBytes).toBeLessThanOrEqual(startLimitBytes);
    expect(startBytes).toBeGreaterThan(500_000);
  });

  it('has in each chunk only what somebody loads', () => {
    expect(chunks.filter(({ loadedBy }) => loadedBy.length === 0)).toEqual([]);
    expect(chunks.length).toBeGreaterThan(10);
  });

  it('holds no package that is for development only', () => {
    const { packages }: PackageLock = JSON.parse(readText('package-lock.json'));
    const folders = Object.keys(bundle.metafile.inputs).flatMap((path) => {
      const [folder] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? [];
      return folder ? [folder] : [];
    });

    const forDevelopment = folders.filter((folder) => packages[folder]?.dev !== undefined);

    expect(forDevelopment).toEqual([]);
    expect(folders).toContain('node_modules/@azure/functions');
    expect(folders.filter((folder) => !packages[folder])).toEqual([]);
  });
});
