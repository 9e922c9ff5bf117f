#!/usr/bin/env node
import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { silenceLibraries } from '../lib/config/index.ts';
import { addAuditCommand } from './audit.ts';
import { describeFailure } from './describe-failure.ts';
import { addDoctorCommand } from './doctor.ts';
import { addJobsCommand } from './jobs.ts';
import { addKeysCommand } from './keys.ts';
import { addMigrateCommand } from './migrate.ts';
import { addRolesCommand } from './roles.ts';

silenceLibraries();

/** The operator's command. Reads the same settings as the app, from the environment. */
const program = new Command('crownsafe')
  .description('Operates Crown Safe Functions. Settings come from the environment, as for the app.')
  .version(packageJson.version);
addAuditCommand(program);
addDoctorCommand(program);
addJobsCommand(program);
addKeysCommand(program);
addMigrateCommand(program);
addRolesCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  console.error(describeFailure(error));
  process.exitCode = 1;
}
