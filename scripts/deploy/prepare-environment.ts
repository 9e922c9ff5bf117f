import { randomBytes } from 'node:crypto';
import { runCommand } from '../../local/command.ts';
import { LocalError } from '../../local/local-error.ts';
import { systemClock } from '../../src/lib/core/index.ts';
import { readAzdEnvironment } from './azd-environment.ts';
import { type DeployerCredential, deployerCredential } from './deployer-credential.ts';
import type { Patience } from './poll.ts';
import { prepareDatabase } from './prepare-database.ts';
import { publicCloud } from './public-cloud.ts';
import { resolveReference } from './resolve-reference.ts';
import { ensureSecret, openVault } from './vault-secret.ts';

/*
 * `npm run deploy:prepare`, after `azd provision`: what no template can make. The secret of the app, once; its roles in
 * the database; the schema. Each step leaves alone what is right already, so running it again is how to go on after it
 * broke off.
 */

const secretName = 'secret-key';
const minuteMs = 60_000;
const origins = { present: 'is there', made: 'made', recovered: 'brought back from the deleted ones' };

await runCommand(async ({ signal }) => {
  const values = await readAzdEnvironment(
    'AZURE_SUBSCRIPTION_ID',
    'AZURE_RESOURCE_GROUP',
    'SERVICE_API_NAME',
    'AZURE_KEY_VAULT_URI',
    'POSTGRES_HOST',
    'POSTGRES_DATABASE',
    'DATABASE_ADMIN_NAME',
    'APP_IDENTITY_NAME',
    'APP_IDENTITY_PRINCIPAL_ID',
  );
  const credential = deployerCredential();
  const patience = { clock: systemClock, everyMs: 10_000, forMs: 5 * minuteMs, signal, say: console.log };

  const vault = openVault(values.AZURE_KEY_VAULT_URI, credential);
  const origin = await ensureSecret(vault, secretName, () => randomBytes(32).toString('base64url'), patience);
  console.log(`secret ${secretName}: ${origins[origin]}`);
  await haveSecretLookedUp(values, credential, patience);

  const database = {
    host: values.POSTGRES_HOST,
    port: 5432,
    name: values.POSTGRES_DATABASE,
    user: values.DATABASE_ADMIN_NAME,
  };
  const { APP_IDENTITY_NAME: name, APP_IDENTITY_PRINCIPAL_ID: objectId } = values;
  await prepareDatabase(database, { name, objectId }, signal);
  console.log(`database ${database.name} on ${database.host}: ready for ${name}`);
});

/**
 * Has the platform look up the secret for the app. A status that it does not tell must not stand in the way: whether the
 * app has its secret, it shows by starting.
 */
async function haveSecretLookedUp(
  values: Readonly<Record<'AZURE_SUBSCRIPTION_ID' | 'AZURE_RESOURCE_GROUP' | 'SERVICE_API_NAME', string>>,
  credential: DeployerCredential,
  patience: Patience,
): Promise<void> {
  const app = {
    managementUri: publicCloud.resourceManager,
    subscriptionId: values.AZURE_SUBSCRIPTION_ID,
    resourceGroup: values.AZURE_RESOURCE_GROUP,
    name: values.SERVICE_API_NAME,
    token: () => credential.token(publicCloud.resourceManagerScope),
  };
  try {
    await resolveReference(app, 'SECRET_KEY', { ...patience, forMs: minuteMs });
    console.log(`app ${app.name}: has its secret`);
  } catch (error) {
    if (!(error instanceof LocalError)) throw error;
    console.log(`app ${app.name}: ${error.message}. Without its secret it will not start.`);
  }
}
