import { type Clock, lazy, systemClock } from '../core/index.ts';
import { IdentityError, toIdentityError } from './identity-error.ts';
import { createTokenCache } from './token-cache.ts';

/** Who the app is to Azure: shaped as the SDKs' `TokenCredential`, so that it can be handed to them as it is. */
export type AzureIdentity = import('@azure/identity').TokenCredential;

interface AzureIdentityOptions {
  readonly clock?: Clock;
  /** Told of a token that could not be renewed while the old one still does. */
  readonly onRefreshFailure?: (error: unknown) => void;
}

/** PostgreSQL takes a token for this as a password: https://learn.microsoft.com/azure/postgresql/flexible-server/how-to-connect-with-managed-identity */
const databaseScope = 'https://ossrdbms-aad.database.windows.net/.default';

/**
 * Makes the app's identity: in Azure the managed one, on a developer's machine and in a pipeline whoever is signed in
 * there (`AZURE_TOKEN_CREDENTIALS` narrows it down). The SDK, 20 ms on top of those of storage, is loaded with the first
 * token. Tokens are kept here and not by the SDKs, each of which would ask for its own and end the process when it
 * cannot renew it in the background.
 *
 * Its `getToken` throws an IdentityError: `identity_unavailable` for an outage, `identity_refused` when there is no
 * identity or it may not have the token.
 *
 * @param clientId - of a user-assigned identity
 */
export function createAzureIdentity(
  clientId: string | undefined,
  { clock = systemClock, onRefreshFailure = () => {} }: AzureIdentityOptions = {},
): AzureIdentity {
  const credential = lazy(async () => {
    const { DefaultAzureCredential } = await import('@azure/identity');
    return new DefaultAzureCredential({
      // Whoever needs the token is under a policy that retries.
      retryOptions: { maxRetries: 0 },
      ...(clientId !== undefined && { managedIdentityClientId: clientId }),
    });
  });
  const getToken = createTokenCache({
    clock,
    onRefreshFailure,
    fetch: async (scope) => {
      try {
        return await (await credential()).getToken(scope);
      } catch (error) {
        throw toIdentityError(error);
      }
    },
  });
  return {
    // The caller's signal is left out: its abort would fail all who wait for the same token. So is the tenant that an
    // answer 401 asks for: a managed identity has one only.
    getToken: async (scopes) => ({
      token: await getToken([scopes].flat().join(' ')),
      // Makes the SDKs ask every time.
      expiresOnTimestamp: 0,
    }),
  };
}

/**
 * A token to log in to PostgreSQL with, in the place of a password.
 *
 * @throws IdentityError
 */
export async function databaseToken(identity: AzureIdentity): Promise<string> {
  const token = await identity.getToken(databaseScope);
  if (!token) throw new IdentityError('identity_refused');
  return token.token;
}
