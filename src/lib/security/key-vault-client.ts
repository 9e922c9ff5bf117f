import { lazy } from '../core/index.ts';
import type { AzureIdentity } from './azure-identity.ts';
import { SecretsError } from './secrets-error.ts';

/** A version of a secret: its value never changes. */
interface SecretVersion {
  readonly id: string;
  /** Milliseconds since the epoch, in whole seconds. */
  readonly createdAt: number;
  /** When it was made, enabled or described last; nobody may have used it before. */
  readonly changedAt: number;
}

/** The secrets of a vault. */
export interface KeyVault {
  /** The versions that are enabled, the newest first; none for a secret that is not there. */
  enabledVersions(name: string, signal: AbortSignal): Promise<readonly SecretVersion[]>;
  /** The value of a version. */
  read(name: string, version: string, signal: AbortSignal): Promise<string>;
}

export interface KeyVaultOptions {
  /** `https://<name>.vault.azure.net`. */
  readonly url: string;
  readonly identity: AzureIdentity;
  /** Makes a round trip, under the policy for the vault. */
  readonly call: <T>(
    operation: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ) => Promise<T>;
}

/**
 * Makes the access to a vault; the SDK is loaded with the first call.
 *
 * Its calls throw a {@link SecretsError} `vault_refused`, and what `call` throws.
 */
export function connectKeyVault({ url, identity, call }: KeyVaultOptions): KeyVault {
  const scope = scopeOf(url);
  const client = lazy(async () => {
    const { SecretClient } = await import('@azure/keyvault-secrets');
    // An SDK would ask for whatever an answer 401 names: who runs the endpoint could have tokens for other services.
    const tokens: AzureIdentity = { getToken: () => identity.getToken(scope) };
    return new SecretClient(url, tokens, {
      retryOptions: { maxRetries: 0 },
      // What it would check is not used.
      disableChallengeResourceVerification: true,
    });
  });

  return {
    async enabledVersions(name, signal) {
      const versions = await refusalsExplained(url, () =>
        call('list versions of secret', signal, async (abortSignal) => {
          const found: SecretVersion[] = [];
          const all = (await client()).listPropertiesOfSecretVersions(name, { abortSignal });
          for await (const { version, createdOn, updatedOn, enabled } of all) {
            if (version === undefined || enabled !== true) continue;
            const createdAt = createdOn?.getTime() ?? 0;
            found.push({ id: version, createdAt, changedAt: updatedOn?.getTime() ?? createdAt });
          }
          return found;
        }),
      ).catch((error) => {
        if (statusOf(error) === 404) return [];
        throw error;
      });
      // Of two made within a second every instance takes the same.
      return versions.sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? -1 : 1));
    },
    read: (name, version, signal) =>
      refusalsExplained(url, () =>
        call('read secret', signal, async (abortSignal) => {
          const { value } = await (await client()).getSecret(name, { version, abortSignal });
          return value ?? '';
        }),
      ),
  };
}

/** Each cloud has a domain of its own for vaults, and tokens for that. */
function scopeOf(url: string): string {
  const [, domain = 'vault.azure.net'] = /^[^.]+\.(vault\..+)$/.exec(new URL(url).hostname) ?? [];
  return `https://${domain}/.default`;
}

async function refusalsExplained<T>(url: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const status = statusOf(error);
    if (status !== 401 && status !== 403) throw error;
    throw new SecretsError(
      'vault_refused',
      `The vault ${url} refuses the app: give its identity the role Key Vault Secrets User, and let its network in`,
      error,
    );
  }
}

function statusOf(error: unknown): unknown {
  return error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
}
