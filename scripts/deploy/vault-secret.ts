import { LocalError } from '../../local/local-error.ts';
import type { DeployerCredential } from './deployer-credential.ts';
import { type Patience, poll, type Waiting } from './poll.ts';
import { publicCloud } from './public-cloud.ts';
import { type Answer, excerpt, httpsAddress, request } from './request.ts';

/** A Key Vault, as whoever deploys sees it. */
export interface Vault {
  /** Without a slash at its end. */
  readonly uri: string;
  /** A token for `https://vault.azure.net`. */
  token(): Promise<string>;
}

/** The vault of an environment, whose address azd knows. */
export function openVault(address: string, credential: DeployerCredential): Vault {
  return {
    uri: httpsAddress('AZURE_KEY_VAULT_URI', address),
    token: () => credential.token(publicCloud.vaultScope),
  };
}

/** Whether the secret was there, was made just now, or was brought back from the deleted ones. */
export type SecretOrigin = 'present' | 'made' | 'recovered';

/** https://learn.microsoft.com/rest/api/keyvault/secrets */
const apiVersion = 'api-version=7.4';

/**
 * Sees to it that a secret exists, and never changes one that does.
 *
 * Key Vault has no "only if it is missing". Two that make the secret within the same second store two versions, of which
 * the later counts for everybody; that is no harm, since this runs before the app that reads it is deployed.
 *
 * @param makeValue - makes the value of a new secret; it is sent to the vault and nowhere else
 * @throws LocalError when the vault refuses, or stays out of reach for longer than `patience`
 */
export async function ensureSecret(
  vault: Vault,
  name: string,
  makeValue: () => string,
  patience: Patience,
): Promise<SecretOrigin> {
  let recovering = false;
  return poll<SecretOrigin>(patience, async (signal) => {
    const found = await ask(vault, 'GET', `secrets/${name}`, signal);
    if ('waitFor' in found) return found;
    if (found.status === 200) return { done: recovering ? 'recovered' : 'present' };
    if (found.status !== 404) return refused(found);
    const stored = await ask(vault, 'PUT', `secrets/${name}`, signal, { value: makeValue() });
    if ('waitFor' in stored) return stored;
    if (stored.status === 200) return { done: 'made' };
    if (stored.status !== 409) return refused(stored);
    recovering = true;
    return recover(vault, name, signal);
  });
}

/**
 * Reads the value of a secret.
 *
 * @throws LocalError when it is not there, or the vault refuses
 */
export async function readSecret(vault: Vault, name: string, patience: Patience): Promise<string> {
  return poll(patience, async (signal) => {
    const found = await ask(vault, 'GET', `secrets/${name}`, signal);
    if ('waitFor' in found) return found;
    if (found.status !== 200) return refused(found);
    const { value } = (found.json ?? {}) as { value?: unknown };
    if (typeof value !== 'string') throw new LocalError(`The vault has no value for ${name}.`);
    return { done: value };
  });
}

/** A deleted secret keeps its name until it is purged; the API keys made with it are worth having it back. */
async function recover(vault: Vault, name: string, signal: AbortSignal): Promise<Waiting> {
  const answer = await ask(vault, 'POST', `deletedsecrets/${name}/recover`, signal);
  if ('waitFor' in answer) return answer;
  // 404 and 409: it is being deleted or brought back at this moment.
  if ([200, 404, 409].includes(answer.status)) return { waitFor: `the deleted secret ${name} to come back` };
  return refused(answer);
}

async function ask(vault: Vault, method: string, path: string, signal: AbortSignal, body?: unknown) {
  const headers = { authorization: `Bearer ${await vault.token()}` };
  return request(method, `${vault.uri}/${path}?${apiVersion}`, { headers, body, signal });
}

/** The errors of Key Vault: https://learn.microsoft.com/azure/key-vault/general/rest-error-codes */
interface VaultProblem {
  readonly error?: { readonly message?: string; readonly innererror?: { readonly code?: string } };
}

const closedNetwork = ['ForbiddenByFirewall', 'ForbiddenByConnection'];

function refused(answer: Answer): Waiting {
  const { error } = (answer.json ?? {}) as VaultProblem;
  const reason = error?.innererror?.code ?? '';
  if (answer.status === 403 && closedNetwork.includes(reason))
    throw new LocalError(
      `The vault is closed to this address: ${error?.message}\nAdd the address with \`azd env set ALLOWED_IP_RANGES <address>/32\` and \`azd provision\`, or deploy from within the network.`,
    );
  if (answer.status === 403 && ['', 'ForbiddenByRbac'].includes(reason))
    return {
      waitFor: 'the role Key Vault Secrets Officer to take effect, which the deployment gave a moment ago',
    };
  if (answer.status === 429 || answer.status >= 500)
    return { waitFor: `the vault to answer (${excerpt(answer)})` };
  throw new LocalError(`The vault refused: ${excerpt(answer)}`);
}
