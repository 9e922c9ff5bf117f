import { type Command, InvalidArgumentError } from 'commander';
import { isScope, type Scope, scopes } from '../lib/security/index.ts';
import { commandRuntime } from '../runtime.ts';
import { addRotateCommand } from './keys-rotate.ts';
import { withRuntime } from './with-runtime.ts';

interface CreateOptions {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresInDays?: number;
}

type ApiKeys = ReturnType<typeof commandRuntime>['apiKeys'];

const dayMs = 86_400_000;

/** `crownsafe keys create | list | revoke | rotate`: API keys, and the secret behind them. */
export function addKeysCommand(program: Command): void {
  const keys = program.command('keys').description('API keys');
  keys
    .command('create')
    .description('make a key and print it; it is shown only now')
    .requiredOption('--name <name>', 'what the key is for')
    .requiredOption('--scopes <list>', `comma separated, of: ${scopes.join(', ')}`, parseScopes)
    .option('--expires-in-days <days>', 'when it stops working by itself', parseDays)
    .action((options: CreateOptions) => withKeys((apiKeys, signal) => createKey(apiKeys, options, signal)));
  keys
    .command('list')
    .description('list all keys, newest first')
    .action(() => withKeys(listKeys));
  keys
    .command('revoke <id>')
    .description('end a key for good')
    .action((id: string) => withKeys((apiKeys, signal) => revokeKey(apiKeys, id, signal)));
  addRotateCommand(keys);
}

function withKeys(work: (apiKeys: ApiKeys, signal: AbortSignal) => Promise<void>): Promise<void> {
  return withRuntime(({ apiKeys }, signal) => work(apiKeys, signal));
}

async function createKey(apiKeys: ApiKeys, options: CreateOptions, signal: AbortSignal): Promise<void> {
  const { name, scopes: granted, expiresInDays } = options;
  const expiry =
    expiresInDays === undefined ? {} : { expiresAt: commandRuntime().clock.now() + expiresInDays * dayMs };
  const key = await apiKeys.create({ name, scopes: granted, ...expiry }, signal);
  console.log(key.text);
}

async function listKeys(apiKeys: ApiKeys, signal: AbortSignal): Promise<void> {
  for (const { id, name, scopes: granted, createdAt, expiresAt, revokedAt } of await apiKeys.list(signal)) {
    const end = revokedAt
      ? `revoked ${revokedAt.toISOString()}`
      : expiresAt
        ? `until ${expiresAt.toISOString()}`
        : 'without end';
    console.log([id, `since ${createdAt.toISOString()}`, end, granted.join(','), name].join('  '));
  }
}

async function revokeKey(apiKeys: ApiKeys, id: string, signal: AbortSignal): Promise<void> {
  if (!(await apiKeys.revoke(id, signal))) throw new Error(`there is no key ${id} that still works`);
  console.log(`revoked ${id}`);
}

function parseScopes(list: string): Scope[] {
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !isScope(name));
  if (unknown.length > 0)
    throw new InvalidArgumentError(`unknown: ${unknown.join(', ')}; there are: ${scopes.join(', ')}`);
  return names.filter(isScope);
}

function parseDays(text: string): number {
  const days = Number(text);
  if (!Number.isInteger(days) || days < 1 || days > 3_650)
    throw new InvalidArgumentError('a whole number from 1 to 3650');
  return days;
}
