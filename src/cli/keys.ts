import { type Command, InvalidArgumentError } from 'commander';
import {
  type ApiKeyView,
  apiKeyRequest,
  type CredentialGuard,
  type KeyAdministration,
  maxExpiryDays,
  newApiKeyShape,
  plainListQuery,
} from '../lib/access/index.ts';
import { validate } from '../lib/http/index.ts';
import { currentContext } from '../lib/observability/index.ts';
import { isScope, type Scope, scopes } from '../lib/security/index.ts';
import { addRotateCommand } from './keys-rotate.ts';
import { withRuntime } from './with-runtime.ts';

interface CreateOptions {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresInDays?: number;
}

/** `crownsafe keys create | list | revoke | unblock | rotate`: API keys, and the secret behind them. */
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
  keys
    .command('unblock')
    .description('let in again whoever is held back after too many failed credentials')
    .action(() => withRuntime(({ credentialGuard }, signal) => unblock(credentialGuard, signal)));
  addRotateCommand(keys);
}

function withKeys(work: (keys: KeyAdministration, signal: AbortSignal) => Promise<void>): Promise<void> {
  return withRuntime(({ keyAdministration }, signal) => work(keyAdministration(), signal));
}

async function createKey(
  keys: KeyAdministration,
  { name, scopes: granted, expiresInDays }: CreateOptions,
  signal: AbortSignal,
): Promise<void> {
  const request = validate(apiKeyRequest, { name, scopes: granted, expires_in_days: expiresInDays });
  const { body } = await keys.create(actor(), request, undefined, signal);
  console.log(newApiKeyShape.parse(body).key);
}

async function listKeys(keys: KeyAdministration, signal: AbortSignal): Promise<void> {
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await keys.list(plainListQuery.parse({ per_page: '200', cursor }), signal);
    for (const key of page.data) console.log(lineOf(key));
    cursor = page.next_cursor;
  }
}

function lineOf(key: ApiKeyView): string {
  const end = key.revoked_at
    ? `revoked ${key.revoked_at}`
    : key.expires_at
      ? `until ${key.expires_at}`
      : 'without end';
  const use = key.last_used_at ? `used ${key.last_used_at}` : 'never used';
  return [key.id, `since ${key.created_at}`, end, use, key.scopes.join(','), key.name].join('  ');
}

async function revokeKey(keys: KeyAdministration, id: string, signal: AbortSignal): Promise<void> {
  await keys.revoke(actor(), id, signal);
  console.log(`revoked ${id}`);
}

async function unblock(guard: CredentialGuard, signal: AbortSignal): Promise<void> {
  console.log(`ended ${await guard.lift(signal)} blocks; every instance knows it within ten seconds`);
}

/** Who is typing, as {@link withRuntime} knows them. */
function actor(): string {
  return currentContext()?.userId ?? 'cli:nameless';
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
  if (!Number.isInteger(days) || days < 1 || days > maxExpiryDays)
    throw new InvalidArgumentError(`a whole number from 1 to ${maxExpiryDays}`);
  return days;
}
