import { lazy } from '../core/index.ts';
import type { KeyVault, KeyVaultOptions } from './key-vault-client.ts';

/** The access to a vault; its code is loaded with the first call, since most apps have none. */
export function openKeyVault(options: KeyVaultOptions): KeyVault {
  const client = lazy(async () => (await import('./key-vault-client.ts')).connectKeyVault(options));
  return {
    enabledVersions: async (name, signal) => (await client()).enabledVersions(name, signal),
    read: async (name, version, signal) => (await client()).read(name, version, signal),
  };
}
