import { judgeAzureError } from './azure-errors.ts';
import { judgeHttpError } from './http-errors.ts';
import { judgePostgresError } from './postgres-errors.ts';
import type { Verdict } from './verdict.ts';

/** What a kind of dependency is called to clients, and how its errors are read. */
interface Profile {
  readonly words: string;
  readonly judge: (error: unknown) => Verdict;
}

/** What every instance calls over the network. */
const known = {
  blob: { words: 'File storage', judge: judgeAzureError },
  'backup-blob': { words: 'Backup storage', judge: judgeAzureError },
  table: { words: 'Table storage', judge: judgeAzureError },
  queue: { words: 'The job queue', judge: judgeAzureError },
  postgres: { words: 'The database', judge: judgePostgresError },
  'postgres-direct': { words: 'The database', judge: judgePostgresError },
} as const satisfies Record<string, Profile>;

const webhook: Profile = { words: 'The receiver of the notification', judge: judgeHttpError };

type KnownDependency = keyof typeof known;

/** An endpoint with its own breaker, bulkhead and retry budget; of webhooks, one for each host. */
export type Dependency = KnownDependency | `webhook:${string}`;

/** What is set alike for all hosts of webhooks. */
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

function profileOf(dependency: Dependency): Profile {
  return isWebhook(dependency) ? webhook : known[dependency];
}

function isWebhook(dependency: Dependency): dependency is `webhook:${string}` {
  return dependency.startsWith('webhook:');
}
