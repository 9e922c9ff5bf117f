import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join, sep } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';

/** Azure Functions Core Tools, version 4. */
export interface Func {
  readonly path: string;
  readonly version: string;
}

const executable = process.platform === 'win32' ? 'func.exe' : 'func';

/**
 * Looks for a `func` that is installed: the optional package's binary, else the first on PATH. Only real binaries are
 * asked for their version; the npm package's script of that name would start to download one.
 */
export async function findFunc(root: string, searchPath: string): Promise<Func | undefined> {
  const packaged = join(root, 'node_modules', 'azure-functions-core-tools', 'bin', executable);
  const onPath = searchPath
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, executable));
  for (const candidate of [packaged, ...onPath]) {
    const path = existsSync(candidate) ? binaryOf(realpathSync(candidate)) : undefined;
    const version = path && (await versionOf(path));
    if (path && version) return { path, version };
  }
  return undefined;
}

/** The binary behind a path; a globally installed npm package has its binary beside the script that PATH leads to. */
function binaryOf(path: string): string | undefined {
  const script = join('azure-functions-core-tools', 'lib', 'main.js');
  if (path.endsWith(script)) {
    const binary = join(dirname(dirname(path)), 'bin', executable);
    return existsSync(binary) ? binary : undefined;
  }
  const isScriptOfSomePackage = path.includes(`${sep}node_modules${sep}`) && path.endsWith('.js');
  return isScriptOfSomePackage ? undefined : path;
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: 5_000 });
    return /^4\.\d+\.\d+/.exec(stdout)?.[0];
  } catch {
    // Broken, for another machine, or silent for too long: as good as none.
    return undefined;
  }
}
