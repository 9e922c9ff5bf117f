import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type BuildOptions, build, type Metafile, stop } from 'esbuild';
import { LocalError } from '../local/local-error.ts';

/** What a build made. */
export interface BundleSummary {
  readonly files: number;
  /** Bytes of code that are loaded before the first function is registered: the entry and what it imports statically. */
  readonly startBytes: number;
  /** Bytes of all code, the parts loaded when first needed included. */
  readonly codeBytes: number;
}

const entryPoints = ['src/index.ts', 'src/cli/crownsafe.ts', 'src/lib/backup/engine/dump-worker.ts'];
const assets = ['src/lib/backup/engine/vendor/pg_dump.wasm'];
const executable = 'crownsafe.js';

/** Everything lies in one folder, because parts find one another by `import.meta.url` (the worker, the WebAssembly file). */
const options = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // OpenTelemetry's ES modules leave out what is not used, its CommonJS cannot (a fifth of what is loaded at start).
  mainFields: ['module', 'main'],
  splitting: true,
  entryNames: '[name]',
  chunkNames: '[name]-[hash]',
  // The Functions worker supplies the first by intercepting `require`; the second is pg's optional native driver.
  external: ['@azure/functions-core', 'pg-native'],
  // Bundled CommonJS packages call `require`, which an ES module does not have.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  // Names and lines stay, so that the stack of an error logged in production can be read; minifying them would save 2 of 31 ms at start.
  minifySyntax: true,
  sourcemap: 'linked',
  metafile: true,
  write: false,
  // The glue that Emscripten made for pg_dump uses eval; in our own code Biome forbids it.
  logOverride: { 'direct-eval': 'silent' },
  logLevel: 'warning',
} as const satisfies BuildOptions;

/**
 * Bundles the app, the command and the dump worker of `root` into its `dist` folder, and removes what else is there.
 * A file whose content stays the same is not touched, so that building again does not disturb an app that is running.
 *
 * @throws LocalError when a source does not build; the reasons have been printed
 */
export async function bundle(root: string): Promise<BundleSummary> {
  const outdir = join(root, 'dist');
  const { outputFiles, metafile } = await build({
    ...options,
    absWorkingDir: root,
    entryPoints,
    outdir,
  }).catch((cause) => {
    throw new LocalError('The app does not build, for the reasons above.', { cause });
  });
  // Its process would stay as long as ours does.
  await stop();
  await mkdir(outdir, { recursive: true });
  for (const file of outputFiles) await writeIfChanged(file.path, file.contents);
  for (const asset of assets)
    await writeIfChanged(join(outdir, basename(asset)), await readFile(join(root, asset)));
  await chmod(join(outdir, executable), 0o755);
  const made = [...outputFiles.map((file) => basename(file.path)), ...assets.map((asset) => basename(asset))];
  await removeOthers(outdir, made);
  return summarize(metafile, made.length);
}

async function writeIfChanged(path: string, contents: Uint8Array): Promise<void> {
  const present = await readFile(path).catch(() => undefined);
  if (present?.equals(contents)) return;
  // A reader sees the old file or the new one, never half of it.
  await writeFile(`${path}.part`, contents);
  await rename(`${path}.part`, path);
}

async function removeOthers(folder: string, names: readonly string[]): Promise<void> {
  for (const name of await readdir(folder))
    if (!names.includes(name)) await rm(join(folder, name), { recursive: true });
}

function summarize(metafile: Metafile, files: number): BundleSummary {
  const code = Object.entries(metafile.outputs).filter(([path]) => path.endsWith('.js'));
  const codeBytes = code.reduce((sum, [, output]) => sum + output.bytes, 0);
  return { files, startBytes: staticBytes(metafile, 'dist/index.js'), codeBytes };
}

function staticBytes(metafile: Metafile, path: string, seen = new Set<string>()): number {
  const output = metafile.outputs[path];
  if (output === undefined || seen.has(path)) return 0;
  seen.add(path);
  const imported = output.imports.filter(({ kind }) => kind === 'import-statement');
  return imported.reduce((sum, next) => sum + staticBytes(metafile, next.path, seen), output.bytes);
}
