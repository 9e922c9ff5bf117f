#!/usr/bin/env node
import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { redactText } from '../lib/observability/index.ts';
import { addKeysCommand } from './keys.ts';
import { addMigrateCommand } from './migrate.ts';
import { addRolesCommand } from './roles.ts';

/** The operator's command. Reads the same settings as the app, from the environment. */
const program = new Command('crownsafe')
  .description('Operates Crown Safe Functions. Settings come from the environment, as for the app.')
  .version(packageJson.version);
addKeysCommand(program);
addMigrateCommand(program);
addRolesCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  // Operators see what went wrong; a stack would say no more, and connection strings must not show.
  console.error(redactText(error instanceof Error ? error.message : String(error)));
  process.exitCode = 1;
}
