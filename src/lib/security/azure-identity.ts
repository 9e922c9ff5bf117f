import { lazy } from '../core/index.ts';

/** Who the app is to Azure: shaped as the SDKs' `TokenCredential`, so that it can be handed to them as it is. */
export type AzureIdentity = import('@azure/identity').TokenCredential;

/** PostgreSQL takes a token for this as a password: https://learn.microsoft.com/azure/postgresql/flexible-server/how-to-connect-with-managed-identity */
const databaseScope = 'https://ossrdbms-aad.database.windows.net/.default';

/**
 * Makes the app's identity: in Azure the managed one, on a developer's machine and in a pipeline whoever is signed in
 * there. The SDK, which costs a cold start 45 ms, is loaded with the first token; it keeps tokens until shortly before
 * they expire.
 *
 * @param clientId - of a user-assigned identity
 */
export function createAzureIdentity(clientId: string | undefined): AzureIdentity {
  const credential = lazy(async () => {
    const { DefaultAzureCredential } = await import('@azure/identity');
    return new DefaultAzureCredential(clientId === undefined ? {} : { managedIdentityClientId: clientId });
  });
  return { getToken: async (scopes, options) => (await credential()).getToken(scopes, options) };
}

/** A token to log in to PostgreSQL with, in the place of a password. */
export async function databaseToken(identity: AzureIdentity): Promise<string> {
  const token = await identity.getToken(databaseScope);
  if (!token) throw new Error('No identity gave a token for the database');
  return token.token;
}
