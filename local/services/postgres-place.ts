import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { LocalError } from '../local-error.ts';
import type { Account } from './guarded-process.ts';
import { findPostgres } from './postgres-binaries.ts';

/** Where PostgreSQL runs, and as whom. */
export interface PostgresPlace {
  /** Holds `bin`, `lib` and `share`. */
  readonly installation: string;
  /** Holds the data and belongs to the account. */
  readonly folder: string;
  /** Set when this process runs as root, which PostgreSQL refuses to do. */
  readonly account: Account | undefined;
}

/**
 * Chooses the place: under `folder`, or, for root with a checkout that the lesser account cannot reach (as below
 * /root), under the system's folder for temporary files, with a copy of the binaries.
 */
export function preparePostgresPlace(folder: string): PostgresPlace {
  const installation = findPostgres();
  if (process.getuid?.() !== 0)
    return { installation, folder: ownFolder(folder, undefined), account: undefined };
  const account = accountOfNobody();
  if (canReach(account, folder) && canReach(account, installation))
    return { installation, folder: ownFolder(folder, account), account };
  const elsewhere = postgresElsewhere(folder);
  claim(elsewhere);
  return { installation: copyTo(elsewhere, installation), folder: ownFolder(elsewhere, account), account };
}

/** Where the data is when the account cannot reach `folder`. */
export function postgresElsewhere(folder: string): string {
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 12);
  return join(tmpdir(), `crown-safe-functions-${name}`);
}

/** Every Unix has this account, so none has to be created. */
function accountOfNobody(): Account {
  const ask = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: ask('-u'), gid: ask('-g') };
}

function canReach(account: Account, path: string): boolean {
  return spawnSync('test', ['-x', path], account).status === 0;
}

function ownFolder(parent: string, account: Account | undefined): string {
  const folder = join(parent, 'postgres');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
  return folder;
}

/** Makes the folder, or accepts it only when it is ours: anybody may make folders below the temporary one. */
function claim(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.())
    throw new LocalError(`${folder} belongs to somebody else. Remove it, or set TMPDIR to another folder.`);
  chmodSync(folder, 0o711);
}

function copyTo(folder: string, installation: string): string {
  const { version } = JSON.parse(readFileSync(join(dirname(installation), 'package.json'), 'utf8'));
  const copy = join(folder, `installation-${version}`);
  if (existsSync(copy)) return copy;
  rmSync(`${copy}.part`, { recursive: true, force: true });
  cpSync(installation, `${copy}.part`, { recursive: true, verbatimSymlinks: true });
  renameSync(`${copy}.part`, copy);
  return copy;
}
