import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin, stop } from 'esbuild';
import { LocalError } from '../local/local-error.ts';

/** A built app that is not written anywhere yet. */
export interface Bundle {
  /** All lie in one folder, because parts find one another by `import.meta.url` (the worker, the WebAssembly file). */
  readonly files: readonly BundledFile[];
  /** What esbuild says of them; its paths are relative to the checkout, those of outputs begin with `dist/`. */
  readonly metafile: Metafile;
}

/** A file of the built app. */
export interface BundledFile {
  /** Without a folder. */
  readonly name: string;
  readonly contents: Uint8Array;
  /** Permissions; of the umask of whoever builds, nothing is in them. */
  readonly mode: number;
}

/** What a build made. */
export interface BundleSummary {
  readonly files: number;
  /** Bytes of code that are loaded before the first function is registered: the entry and what it imports statically. */
  readonly startBytes: number;
  /** Bytes of all code, the parts loaded when first needed included. */
  readonly codeBytes: number;
}

/** What is run by itself, and by whom. */
export const entryPoints = {
  'src/index.ts': 'the Functions worker',
  'src/cli/crownsafe.ts': 'the operator, as command',
  'src/lib/backup/engine/dump-worker.ts': 'each backup, as thread',
} as const;

/** The one list of packages that are not in the bundle, by where they come from when it runs. */
export const external = {
  /** The Functions worker supplies it by intercepting `require`. */
  platform: ['@azure/functions-core'],
  /** Nothing does: pg can do without its native driver, debug without colours. */
  nowhere: ['pg-native', 'supports-color'],
  /** Native code: lies in `node_modules` beside the bundle. */
  installed: ['sharp'],
} as const;

/** Node.js of the platform, which runs the bundle. */
export const nodeMajor = 24;

const assets = ['src/lib/backup/engine/vendor/pg_dump.wasm'];
const executable = 'crownsafe.js';

const options = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: `node${nodeMajor}`,
  // OpenTelemetry's ES modules leave out what is not used, its CommonJS cannot (a fifth of what is loaded at start).
  mainFields: ['module', 'main'],
  splitting: true,
  entryNames: '[name]',
  chunkNames: '[name]-[hash]',
  external: Object.values(external).flat(),
  // A checkout whose node_modules is a link to another one's makes the same bytes.
  preserveSymlinks: true,
  // Bundled CommonJS packages call `require`, which an ES module does not have.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  // Names and lines stay, so that the stack of an error logged in production can be read; minifying would save 3 of 83 ms at start.
  minifySyntax: true,
  sourcemap: 'linked',
  metafile: true,
  write: false,
  // The glue that Emscripten made for pg_dump uses eval; in our own code Biome forbids it.
  logOverride: { 'direct-eval': 'silent' },
  logLevel: 'warning',
} as const satisfies BuildOptions;

/**
 * Bundles the app, the command and the dump worker of the checkout `root`, in memory. The same sources and packages
 * make the same bytes, wherever they lie.
 *
 * @param version - what the app says it is; by default the version in package.json
 * @throws LocalError when a source does not build; the reasons have been printed
 */
export async function makeBundle(root: string, version?: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    ...options,
    absWorkingDir: root,
    entryPoints: Object.keys(entryPoints),
    outdir: join(root, 'dist'),
    plugins: [leanManifest(join(root, 'package.json'), version)],
  }).catch((cause) => {
    throw new LocalError('The app does not build, for the reasons above.', { cause });
  });
  // Its process would stay as long as ours does.
  await stop();
  const built = outputFiles.map(({ path, contents }) => bundledFile(path, contents));
  const copied = assets.map(async (path) => bundledFile(path, await readFile(join(root, path))));
  return { files: [...built, ...(await Promise.all(copied))], metafile };
}

/** Leaves of our package.json what the app may ask for: a change of tools or scripts does not change what is deployed. */
function leanManifest(path: string, version: string | undefined): Plugin {
  return {
    name: 'lean manifest',
    setup({ onLoad }) {
      onLoad({ filter: /package\.json$/ }, async (loaded) => {
        if (loaded.path !== path) return undefined;
        const manifest = JSON.parse(await readFile(path, 'utf8'));
        const contents = JSON.stringify({ name: manifest.name, version: version ?? manifest.version });
        return { contents, loader: 'json' };
      });
    },
  };
}

function bundledFile(path: string, contents: Uint8Array): BundledFile {
  const name = basename(path);
  return { name, contents, mode: name === executable ? 0o755 : 0o644 };
}

/**
 * Bundles the checkout `root` into its `dist` folder, and removes what else is there. A file whose content stays the
 * same is not touched, so that building again does not disturb an app that is running.
 *
 * @throws LocalError when a source does not build; the reasons have been printed
 */
export async function bundle(root: string): Promise<BundleSummary> {
  const { files, metafile } = await makeBundle(root);
  const folder = join(root, 'dist');
  await mkdir(folder, { recursive: true });
  for (const file of files) await writeIfChanged(join(folder, file.name), file);
  await removeOthers(
    folder,
    files.map(({ name }) => name),
  );
  return { files: files.length, ...codeSizes(metafile) };
}

/** Writes a file unless it is there with these bytes; its permissions are set in any case, for they may be older than the bytes. */
export async function writeIfChanged(
  path: string,
  { contents, mode }: Pick<BundledFile, 'contents' | 'mode'>,
): Promise<void> {
  const present = await readFile(path).catch(() => undefined);
  if (present?.equals(contents)) return chmod(path, mode);
  // A reader sees the old file or the new one, never half of it.
  await writeFile(`${path}.part`, contents);
  await chmod(`${path}.part`, mode);
  await rename(`${path}.part`, path);
}

async function removeOthers(folder: string, names: readonly string[]): Promise<void> {
  for (const name of await readdir(folder))
    if (!names.includes(name)) await rm(join(folder, name), { recursive: true });
}

function codeSizes({ outputs }: Metafile): Omit<BundleSummary, 'files'> {
  const sum = (paths: readonly string[]) =>
    paths.reduce((bytes, path) => bytes + (outputs[path]?.bytes ?? 0), 0);
  const code = Object.keys(outputs).filter((path) => path.endsWith('.js'));
  return { startBytes: sum(loadedWith({ outputs }, 'dist/index.js')), codeBytes: sum(code) };
}

/** The outputs that are loaded together with one: itself and everything that is imported statically from there on. */
export function loadedWith({ outputs }: Pick<Metafile, 'outputs'>, path: string): string[] {
  const loaded = new Set([path]);
  // Grows while it is walked.
  for (const next of loaded)
    for (const { kind, path: imported, external } of outputs[next]?.imports ?? [])
      if (kind === 'import-statement' && !external) loaded.add(imported);
  return [...loaded];
}
