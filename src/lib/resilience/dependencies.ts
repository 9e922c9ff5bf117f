import { judgeAzureError } from './azure-errors.ts';
import { judgeHttpError } from './http-errors.ts';
import { judgePostgresError } from './postgres-errors.ts';
import type { Verdict } from './verdict.ts';

/** What a kind of dependency is called to clients, and how its errors are read. */
interface Profile {
  readonly words: string;
  readonly judge: (error: unknown) => Verdict;
  /** Left out of breakers and orders. */
  readonly alwaysAsked?: true;
}

/** What every instance calls over the network. */
const known = {
  blob: { words: 'File storage', judge: judgeAzureError },
  // A lock ends within a minute, which is as long as a breaker stays open.
  lease: { words: 'File storage', judge: judgeAzureError, alwaysAsked: true },
  'backup-blob': { words: 'Backup storage', judge: judgeAzureError },
  table: { words: 'Table storage', judge: judgeAzureError },
  // Through it breakers are told what to do, so nothing may lock it.
  'table-control': { words: 'Table storage', judge: judgeAzureError, alwaysAsked: true },
  queue: { words: 'The job queue', judge: judgeAzureError },
  postgres: { words: 'The database', judge: judgePostgresError },
  'postgres-direct': { words: 'The database', judge: judgePostgresError },
  jwks: { words: 'The issuer of tokens', judge: judgeHttpError },
  'key-vault': { words: 'The key vault', judge: judgeAzureError },
} as const satisfies Record<string, Profile>;

const webhook: Profile = { words: 'The receiver of the notification', judge: judgeHttpError };

type KnownDependency = keyof typeof known;

/** A name of a host, or an address, with the port where it has one. */
const webhookName = /^webhook:(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/;

/** An endpoint with its own breaker, bulkhead and retry budget; of webhooks, one for each host. */
export type Dependency = KnownDependency | `webhook:${string}`;

/** The same for all hosts of webhooks: for what is set alike, kept for ever (a series) or told beforehand (a fault). */
export type DependencyKind = KnownDependency | 'webhook';

export function kindOf(dependency: Dependency): DependencyKind {
  return isWebhook(dependency) ? 'webhook' : dependency;
}

export const knownDependencies = Object.keys(known) as readonly KnownDependency[];

/** What a client is told; names no host and no cause. */
export function unavailableText(dependency: Dependency): string {
  return `${profileOf(dependency).words} is not available at the moment`;
}

export function judgeError(dependency: Dependency, error: unknown): Verdict {
  return profileOf(dependency).judge(error);
}

/** False for what is asked whatever happens. */
export function hasBreaker(dependency: Dependency): boolean {
  return profileOf(dependency).alwaysAsked !== true;
}

/** Finds the dependency of a name that has a breaker; any host may be notified by some instance. */
export function findDependency(name: string): Dependency | undefined {
  if (webhookName.test(name)) return name as `webhook:${string}`;
  return knownDependencies.find((known) => known === name && hasBreaker(known));
}

function profileOf(dependency: Dependency): Profile {
  return isWebhook(dependency) ? webhook : known[dependency];
}

function isWebhook(dependency: Dependency): dependency is `webhook:${string}` {
  return dependency.startsWith('webhook:');
}
