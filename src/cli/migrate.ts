import type { Command } from 'commander';
import { listMigrations, type Move, migrateDown, migrateToLatest, repoint } from '../lib/database/index.ts';
import { deployerAddress } from './deployer.ts';

/** `crownsafe migrate up | down | status | repoint`: the schema of the database. */
export function addMigrateCommand(program: Command): void {
  const migrate = program.command('migrate').description('the schema of the database');
  migrate
    .command('up')
    .description('run every migration that has not run, but none that would break an older version')
    .option('--contract', 'run those too: no older version is running any more')
    .action(async ({ contract = false }: { contract?: boolean }) => {
      report('ran', await migrateToLatest(deployerAddress(), { contract }));
      await reportWaiting();
    });
  migrate
    .command('down <name>')
    .description('undo the newest migration, which has to be named; tables that it made go, with their data')
    .action(async (name: string) => report('undid', await migrateDown(deployerAddress(), name)));
  migrate
    .command('status')
    .description('list all migrations')
    .action(async () => {
      for (const { name, executedAt } of await listMigrations(deployerAddress())) {
        console.log(`${name}  ${executedAt ? `ran ${executedAt.toISOString()}` : 'has not run'}`);
      }
      await reportWaiting();
    });
  migrate
    .command('repoint')
    .description('have the rows of objects that were copied from S3 name them in Azure')
    .requiredOption('--bucket <name>', 'the bucket they were copied from')
    .requiredOption('--s3-url <prefix>', 'with what their addresses begin, up to the key')
    .requiredOption('--container <name>', 'the container they were copied to')
    .requiredOption('--blob-url <prefix>', 'with what the addresses of the blobs begin, up to the name')
    .action(async (move: Move) => console.log(`repointed ${await repoint(deployerAddress(), move)} rows`));
}

function report(verb: string, names: readonly string[]): void {
  console.log(names.length === 0 ? 'nothing to do' : names.map((name) => `${verb} ${name}`).join('\n'));
}

/** What stays to be done is told wherever somebody looks. */
async function reportWaiting(): Promise<void> {
  const waiting = (await listMigrations(deployerAddress())).find(({ waitsForOperator }) => waitsForOperator);
  if (waiting)
    console.log(
      `${waiting.name} waits until no version runs that needs what it drops; then: crownsafe migrate up --contract`,
    );
}
