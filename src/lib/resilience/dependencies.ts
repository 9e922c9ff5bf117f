import { judgeAzureError } from './azure-errors.ts';
import { judgePostgresError } from './postgres-errors.ts';
import type { Verdict } from './verdict.ts';

/** What we call over the network, each with its words for clients and its way to read errors. */
const dependencies = {
  blob: { words: 'File storage', judge: judgeAzureError },
  'backup-blob': { words: 'Backup storage', judge: judgeAzureError },
  table: { words: 'Table storage', judge: judgeAzureError },
  queue: { words: 'The job queue', judge: judgeAzureError },
  postgres: { words: 'The database', judge: judgePostgresError },
  'postgres-direct': { words: 'The database', judge: judgePostgresError },
} as const satisfies Record<string, { words: string; judge: (error: unknown) => Verdict }>;

/** An endpoint with its own breaker, bulkhead and retry budget. */
export type Dependency = keyof typeof dependencies;

export const dependencyNames = Object.keys(dependencies) as readonly Dependency[];

/** What a client is told; names no host and no cause. */
export function unavailableText(dependency: Dependency): string {
  return `${dependencies[dependency].words} is not available at the moment`;
}

export function judgeError(dependency: Dependency, error: unknown): Verdict {
  return dependencies[dependency].judge(error);
}
