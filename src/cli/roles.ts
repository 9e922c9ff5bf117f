import { type Command, InvalidArgumentError } from 'commander';
import { applyRoles } from '../lib/database/index.ts';
import { deployerAddress } from './deployer.ts';

interface ApplyOptions {
  readonly login: string;
  readonly entraObjectId?: string;
}

/** `crownsafe roles apply`: who may do what in the database. */
export function addRolesCommand(program: Command): void {
  const roles = program.command('roles').description('who may do what in the database');
  roles
    .command('apply')
    .description('make the roles of least privilege, or mend them; run it before the first migration')
    .requiredOption(
      '--login <name>',
      "role that the app logs in as; with Microsoft Entra, its identity's name",
    )
    .option(
      '--entra-object-id <id>',
      'object id of that identity; makes the login where it is missing',
      parseGuid,
    )
    .action(apply);
}

async function apply(options: ApplyOptions): Promise<void> {
  const { made, adopted, backupReadsEverything } = await applyRoles(deployerAddress(), options);
  for (const name of made) console.log(`made the role ${name}`);
  for (const name of adopted) console.log(`schema_owner now owns ${name}`);
  if (!backupReadsEverything) {
    console.log('pg_read_all_data may not be granted here: dumps can hold the schema public only');
  }
  console.log(`${options.login} acts as app, and may act as backup and verify`);
}

function parseGuid(text: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return text;
  throw new InvalidArgumentError('a GUID');
}
