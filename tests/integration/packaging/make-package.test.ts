import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PackageLock, Platform } from '../../../scripts/packaging/locked-packages.ts';
import { azure, makePackage } from '../../../scripts/packaging/make-package.ts';
import { makeTemporaryFolder } from '../../support/temporary-folder.ts';
import { thisMachine } from '../../support/this-machine.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

let work: string;
let folder: string;
beforeEach(() => {
  work = makeTemporaryFolder();
  folder = join(work, 'package');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(work, { recursive: true });
});

/** Makes a checkout whose app is this code; the packages are those of ours. */
function makeCheckout(code: string, files: Readonly<Record<string, string>> = {}): string {
  const checkout = join(work, 'checkout');
  const all = {
    'src/index.ts': code,
    'src/cli/crownsafe.ts': '',
    'src/lib/backup/engine/dump-worker.ts': '',
    'src/lib/backup/engine/vendor/pg_dump.wasm': '',
    'host.json': '{"version":"2.0"}',
    'package.json': '{"name":"fixture","version":"1.2.3"}',
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(checkout, path)), { recursive: true });
    writeFileSync(join(checkout, path), text);
  }
  return checkout;
}

/** Runs a script of a package; it may read that package's files only. */
function runIn(packageFolder: string, script: string) {
  const mayRead = [`--allow-fs-read=${packageFolder}`, '--allow-addons'];
  return run(process.execPath, ['--permission', ...mayRead, '--no-warnings', join(packageFolder, script)]);
}

describe('the package of this checkout', () => {
  it('is what azd packs and the worker loads', async () => {
    const { content, version } = await makePackage(root, folder);
    const paths = content.files.map(({ path }) => path);
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

    expect(manifest).toEqual({
      name: 'crown-safe-functions',
      version,
      type: 'module',
      main: 'index.js',
      engines: { node: '>=24' },
    });
    expect(paths).toEqual(
      expect.arrayContaining(['host.json', 'index.js', 'crownsafe.js', 'dump-worker.js', 'pg_dump.wasm']),
    );
    expect(readFileSync(join(folder, 'host.json'))).toEqual(readFileSync(join(root, 'host.json')));
    // azd leaves these out, or lets them leave out others (createDeployableZip in its project_utils.go).
    expect(
      paths.filter((path) => /(?:^|\/)(?:\.funcignore|\.azure|local\.settings\.json)(?:\/|$)/.test(path)),
    ).toEqual([]);
    expect(paths.filter((path) => /\.(?:ts|map|part)$|^src\//.test(path))).toEqual([]);
  });

  it('holds nothing of where it was made', async () => {
    await makePackage(root, folder);
    const { stdout } = await run('grep', ['-rlF', root, folder]).catch(({ stdout: text }) => ({
      stdout: text,
    }));

    expect(stdout).toBe('');
  });
});

describe('a package with native code', () => {
  const drawing = `import sharp from 'sharp';
    const photo = sharp({ create: { width: 8, height: 6, channels: 3, background: '#f00' } });
    const { format, width } = await sharp(await photo.jpeg().toBuffer()).metadata();
    console.log(format, width);`;

  /** Our lock, in which sharp is for the app and not for tests only. */
  function lock(): string {
    const { packages }: PackageLock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
    const entries = Object.entries(packages).map(([path, { dev, ...entry }]) => [path, entry]);
    return JSON.stringify({ lockfileVersion: 3, packages: Object.fromEntries(entries) });
  }

  it('is installed beside the bundle and works far from the checkout', async () => {
    const checkout = makeCheckout(drawing, { 'package-lock.json': lock() });
    symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));

    const { content } = await makePackage(checkout, folder, thisMachine());
    const { stdout } = await runIn(folder, 'index.js');

    expect(stdout).toBe('jpeg 8\n');
    const paths = content.files.map(({ path }) => path);
    expect(paths).toContain('node_modules/sharp/LICENSE');
    expect(paths.filter((path) => /\.d\.[cm]?ts$|README|\.cc$|\.bin\/|\.package-lock/.test(path))).toEqual(
      [],
    );
  });

  it('is refused when the lock has it for development only', async () => {
    const checkout = makeCheckout(drawing, {
      'package-lock.json': readFileSync(join(root, 'package-lock.json'), 'utf8').replace(
        /("node_modules\/sharp": \{)/,
        '$1 "dev": true,',
      ),
    });
    symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));

    await expect(makePackage(checkout, folder, thisMachine())).rejects.toThrow('belongs into dependencies');
  });

  describe('of another platform', () => {
    const foreign: Platform = { os: 'aix', cpu: 'ppc64', libc: 'glibc' };

    /** Packs a package as the registry would; npm takes it from the file, so that nothing is asked for over the network. */
    async function pack(name: string, files: Readonly<Record<string, string>>, extra: object = {}) {
      const source = join(work, name);
      const all = { 'package.json': JSON.stringify({ name, version: '1.0.0', ...extra }), ...files };
      for (const [path, text] of Object.entries(all)) {
        mkdirSync(dirname(join(source, path)), { recursive: true });
        writeFileSync(join(source, path), text);
      }
      // Its own cache: what npm has packed, it would install from there, whatever has become of the file.
      const options = ['--silent', '--pack-destination', work, '--cache', join(work, 'packing')];
      await run('npm', ['pack', ...options], { cwd: source });
      const tarball = join(work, `${name}-1.0.0.tgz`);
      const digest = createHash('sha512').update(readFileSync(tarball)).digest('base64');
      return { version: '1.0.0', resolved: `file:${tarball}`, integrity: `sha512-${digest}`, ...extra };
    }

    /** A checkout that uses a `sharp` of ours, which has its native part in a package for each platform. */
    async function checkoutWithNativeCode(): Promise<string> {
      vi.stubEnv('npm_config_offline', 'true');
      vi.stubEnv('npm_config_cache', join(work, 'installing'));
      const parts = { 'sharp-aix': '1.0.0', 'sharp-linux': '1.0.0' };
      const scripts = { install: 'echo a script has run && exit 1' };
      const dependencies = { sharp: '1.0.0' };
      const manifest = { name: 'fixture', version: '1.2.3', dependencies };
      const packages = {
        '': manifest,
        'node_modules/sharp': {
          ...(await pack(
            'sharp',
            { 'index.js': '', 'README.md': '' },
            { optionalDependencies: parts, scripts },
          )),
          hasInstallScript: true,
        },
        'node_modules/sharp-aix': {
          ...(await pack('sharp-aix', { 'part.node': 'aix' }, { os: ['aix'], cpu: ['ppc64'] })),
          optional: true,
        },
        'node_modules/sharp-linux': {
          ...(await pack('sharp-linux', { 'part.node': 'linux' }, { os: ['linux'], cpu: ['x64'] })),
          optional: true,
        },
      };
      return makeCheckout("import 'sharp'", {
        'package.json': JSON.stringify(manifest),
        'package-lock.json': JSON.stringify({
          name: 'fixture',
          version: '1.2.3',
          lockfileVersion: 3,
          requires: true,
          packages,
        }),
      });
    }

    it('is installed by npm, without running its scripts', async () => {
      const checkout = await checkoutWithNativeCode();

      const { content } = await makePackage(checkout, folder, foreign);
      const paths = content.files.map(({ path }) => path).filter((path) => path.startsWith('node_modules/'));

      expect(paths).toEqual([
        'node_modules/sharp-aix/package.json',
        'node_modules/sharp-aix/part.node',
        'node_modules/sharp/index.js',
        'node_modules/sharp/package.json',
      ]);
    });

    it('is refused when its bytes are not those of the lock', async () => {
      const checkout = await checkoutWithNativeCode();
      await pack('sharp', { 'index.js': 'something else' });

      await expect(makePackage(checkout, folder, foreign)).rejects.toThrow(
        /^npm could not install packages for aix-ppc64-glibc\.\n[\s\S]*EINTEGRITY/,
      );
    });
  });
});

describe('the version of a package', () => {
  const answer = "import { version } from '../package.json'; console.log(version);";

  /** Makes a package of this code, and has it say its version. */
  async function versionOf(code: string, files?: Readonly<Record<string, string>>) {
    await rm(folder, { recursive: true, force: true });
    const { version } = await makePackage(makeCheckout(code, files), folder);
    const { stdout } = await runIn(folder, 'index.js');
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    expect([`${version}\n`, version]).toEqual([stdout, manifest.version]);
    return version;
  }

  it('is told by the app, and differs as soon as something in it does', async () => {
    const first = await versionOf(answer);
    const again = await versionOf(answer);
    const others = [
      await versionOf(`${answer} globalThis.other = 1;`),
      await versionOf(answer, { 'host.json': '{"version":"2.0","other":1}' }),
      await versionOf(answer, { 'src/lib/backup/engine/vendor/pg_dump.wasm': 'other' }),
    ];

    expect(first).toMatch(/^1\.2\.3\+[0-9a-f]{12}$/);
    expect(again).toBe(first);
    expect(new Set([first, ...others]).size).toBe(4);
  });
});

describe('a package', () => {
  it('is refused above 50 MB, with the largest files by name', async () => {
    const checkout = makeCheckout('');
    truncateSync(join(checkout, 'src/lib/backup/engine/vendor/pg_dump.wasm'), 51 * 1024 * 1024);

    await expect(makePackage(checkout, folder, azure)).rejects.toThrow(
      /^The package has 51\.0 MB; 50\.0 MB are allowed\. The largest files:\n {2}51\.0 MB {2}pg_dump\.wasm\n/,
    );
  });

  it('is refused when the app imports what is nowhere', async () => {
    const checkout = makeCheckout(
      "let optional; try { optional = require('not-there/deep') } catch {} console.log(optional)",
    );

    await expect(makePackage(checkout, folder)).rejects.toThrow(
      'The app imports not-there, which is not to be found.',
    );
  });

  it('is refused when the app does not build', async () => {
    const checkout = makeCheckout("import { missing } from './missing.ts'; missing();");

    await expect(makePackage(checkout, folder)).rejects.toThrow('The app does not build');
    expect(existsSync(folder)).toBe(false);
  });
});
