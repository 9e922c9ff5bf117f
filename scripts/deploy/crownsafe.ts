import process from 'node:process';
import { runCommand } from '../../local/command.ts';
import { systemClock } from '../../src/lib/core/index.ts';
import { readAzdEnvironment } from './azd-environment.ts';
import { runCrownsafe } from './crownsafe-command.ts';
import { deployerCredential } from './deployer-credential.ts';
import { openVault, readSecret } from './vault-secret.ts';

/*
 * `npm run deploy:crownsafe -- …`: the operator's command on the deployed app, with the rights of whoever is logged in
 * to azd. API keys are kept hashed with the app's secret, so the command needs it; it gets it from the vault, in memory. The
 * secret before it, for `keys rotate`, comes from whoever runs the command.
 */

await runCommand(async ({ signal }) => {
  const values = await readAzdEnvironment(
    'AZURE_KEY_VAULT_URI',
    'AZURE_STORAGE_ACCOUNT_NAME',
    'POSTGRES_HOST',
    'POSTGRES_DATABASE',
    'DATABASE_ADMIN_NAME',
  );
  const vault = openVault(values.AZURE_KEY_VAULT_URI, deployerCredential());
  const patience = { clock: systemClock, everyMs: 5_000, forMs: 60_000, signal, say: console.error };
  const settings = {
    SECRET_KEY: await readSecret(vault, 'secret-key', patience),
    SECRET_KEY_PREVIOUS: process.env['SECRET_KEY_PREVIOUS'] ?? '',
    AZURE_STORAGE_ACCOUNT_NAME: values.AZURE_STORAGE_ACCOUNT_NAME,
  };
  const { POSTGRES_HOST: host, POSTGRES_DATABASE: name, DATABASE_ADMIN_NAME: user } = values;
  await runCrownsafe({ host, port: 5432, name, user }, process.argv.slice(2), signal, settings);
});
