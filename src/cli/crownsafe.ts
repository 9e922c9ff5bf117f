#!/usr/bin/env node
import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { redactText } from '../lib/observability/index.ts';
import { addAuditCommand } from './audit.ts';
import { addJobsCommand } from './jobs.ts';
import { addKeysCommand } from './keys.ts';
import { addMigrateCommand } from './migrate.ts';
import { addRolesCommand } from './roles.ts';

/** The operator's command. Reads the same settings as the app, from the environment. */
const program = new Command('crownsafe')
  .description('Operates Crown Safe Functions. Settings come from the environment, as for the app.')
  .version(packageJson.version);
addAuditCommand(program);
addJobsCommand(program);
addKeysCommand(program);
addMigrateCommand(program);
addRolesCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  // Operators see what went wrong; a stack would say no more, and connection strings must not show.
  console.error(redactText(wordsOf(error)));
  process.exitCode = 1;
}

/** What went wrong, and of what that came: the words for a client alone would not tell an operator what to mend. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : wordsOf(error.cause);
  // An attempt at several addresses that all failed has no words of its own, only a code.
  const words = error.message || ('code' in error ? String(error.code) : error.name);
  return cause === '' || words.includes(cause) ? words : `${words}: ${cause}`;
}
