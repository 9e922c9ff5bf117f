import process from 'node:process';
import { LocalError } from '../../local/local-error.ts';
import { createAzureIdentity } from '../../src/lib/security/index.ts';
import { innermostWords } from './innermost-words.ts';

/** Whoever deploys, to the services of Azure. */
export interface DeployerCredential {
  /** @throws LocalError when nobody is logged in */
  token(scope: string): Promise<string>;
}

/**
 * Whoever deploys is who is logged in to azd: a person on a developer's machine, a federated identity in a workflow.
 * `AZURE_TOKEN_CREDENTIALS` chooses otherwise; the commands that are started from here inherit the choice.
 */
export function deployerCredential(): DeployerCredential {
  process.env['AZURE_TOKEN_CREDENTIALS'] ??= 'AzureDeveloperCliCredential';
  const identity = createAzureIdentity(undefined);
  return {
    async token(scope) {
      try {
        const given = await identity.getToken(scope);
        if (given) return given.token;
      } catch (cause) {
        throw new LocalError(`There is no token for ${scope}. ${innermostWords(cause)}`, { cause });
      }
      throw new LocalError(`There is no token for ${scope}.`);
    },
  };
}
