import type { Command } from 'commander';
import { listMigrations, migrateDown, migrateToLatest } from '../lib/database/index.ts';
import { deployerAddress } from './deployer.ts';

/** `crownsafe migrate up | down | status`: the schema of the database. */
export function addMigrateCommand(program: Command): void {
  const migrate = program.command('migrate').description('the schema of the database');
  migrate
    .command('up')
    .description('run every migration that has not run')
    .action(async () => report('ran', await migrateToLatest(deployerAddress())));
  migrate
    .command('down')
    .description('undo the newest migration; the data of its tables is lost')
    .action(async () => report('undid', await migrateDown(deployerAddress())));
  migrate
    .command('status')
    .description('list all migrations')
    .action(async () => {
      for (const { name, executedAt } of await listMigrations(deployerAddress())) {
        console.log(`${name}  ${executedAt ? `ran ${executedAt.toISOString()}` : 'has not run'}`);
      }
    });
}

function report(verb: string, names: readonly string[]): void {
  console.log(names.length === 0 ? 'nothing to do' : names.map((name) => `${verb} ${name}`).join('\n'));
}
