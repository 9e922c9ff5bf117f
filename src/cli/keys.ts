import { type Command, InvalidArgumentError } from 'commander';
import { isScope, type Scope, scopes } from '../lib/security/index.ts';
import { runtime } from '../runtime.ts';

interface CreateOptions {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresInDays?: number;
}

const dayMs = 86_400_000;

/** `crownsafe keys create`: API keys. */
export function addKeysCommand(program: Command): void {
  program
    .command('keys')
    .description('API keys')
    .command('create')
    .description('make a key and print it; it is shown only now')
    .requiredOption('--name <name>', 'what the key is for')
    .requiredOption('--scopes <list>', `comma separated, of: ${scopes.join(', ')}`, parseScopes)
    .option('--expires-in-days <days>', 'when it stops working by itself', parseDays)
    .action(createKey);
}

async function createKey({ name, scopes: granted, expiresInDays }: CreateOptions): Promise<void> {
  const { apiKeys, clock, dispose } = runtime();
  try {
    const expiry = expiresInDays === undefined ? {} : { expiresAt: clock.now() + expiresInDays * dayMs };
    const key = await apiKeys.create({ name, scopes: granted, ...expiry }, new AbortController().signal);
    console.log(key.text);
  } finally {
    await dispose();
  }
}

function parseScopes(list: string): Scope[] {
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !isScope(name));
  if (unknown.length > 0) throw new InvalidArgumentError(`unknown: ${unknown.join(', ')}`);
  return names.filter(isScope);
}

function parseDays(text: string): number {
  const days = Number(text);
  if (!Number.isInteger(days) || days < 1 || days > 3_650)
    throw new InvalidArgumentError('a whole number from 1 to 3650');
  return days;
}
