import { type Command, InvalidArgumentError } from 'commander';
import { createKeyRotation, type EncryptedColumn, type KeyRotation } from '../lib/access/index.ts';
import { withRuntime } from './with-runtime.ts';

interface RotateOptions {
  readonly dryRun?: boolean;
  readonly since?: Date;
}

/** `crownsafe keys rotate`: the end of a replaced `SECRET_KEY`. */
export function addRotateCommand(keys: Command): void {
  keys
    .command('rotate')
    .description(
      'encrypt everything under the current SECRET_KEY, and tell what still needs the previous one; with --since it ends with 1 while something does',
    )
    .option('--dry-run', 'only tell')
    .option(
      '--since <time>',
      'when the last instance got the current SECRET_KEY, as 2026-11-20T18:00:00Z',
      parseTime,
    )
    .action((options: RotateOptions) =>
      withRuntime(({ database, keyring, encryptedColumns }, signal) =>
        rotate(createKeyRotation({ database, keyring }), encryptedColumns, options, signal),
      ),
    );
}

async function rotate(
  rotation: KeyRotation,
  columns: readonly EncryptedColumn[],
  { dryRun = false, since }: RotateOptions,
  signal: AbortSignal,
): Promise<void> {
  let left = 0;
  for (const column of columns) {
    if (!dryRun) await reencrypt(column, signal);
    const { total, outdated } = await rotation.inspect(column, signal);
    console.log(`${nameOf(column)}: ${outdated} of ${total} values need another key than the current one`);
    left += outdated;
  }
  if (!since) {
    console.log(
      'API keys: give --since to see which were not used since the last instance got the current SECRET_KEY',
    );
    return;
  }
  const unused = await rotation.unusedApiKeys(since, signal);
  for (const { id, name } of unused) console.log(`API key ${id} was not used since: ${name}`);
  const isNeeded = left > 0 || unused.length > 0;
  if (isNeeded) process.exitCode = 1;
  console.log(
    !isNeeded
      ? 'nothing needs the previous SECRET_KEY'
      : 'the previous SECRET_KEY is still needed: what it has made would be refused or unreadable without it',
  );
}

async function reencrypt(column: EncryptedColumn, signal: AbortSignal): Promise<void> {
  const onProgress = (done: number) => console.error(`${nameOf(column)}: ${done} done`);
  const changed = await column.reencrypt(signal, onProgress);
  console.log(`${nameOf(column)}: encrypted ${changed} values anew`);
}

function nameOf({ table, column }: EncryptedColumn): string {
  return `${table}.${column}`;
}

function parseTime(text: string): Date {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?Z$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(time)) throw new InvalidArgumentError('a time in UTC, as 2026-11-20T18:00:00Z');
  return new Date(time);
}
