import * as z from 'zod';
import { notes } from './notes.ts';
import { flag, serviceUri } from './shapes.ts';

/** https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#vault-name-and-object-name */
const secretName = z.string().regex(/^[A-Za-z0-9-]{1,127}$/, 'must have 1–127 letters, digits or hyphens');

/** Secrets that the app itself reads from a vault, and again when they are replaced. */
export const secretsSettings = {
  USE_SECRETS_MANAGER: flag.default(false).register(notes, {
    group: 'secrets',
    description:
      'Whether the app reads `SECRET_KEY`, `JWT_SECRET` and `DATABASE_URL` from Key Vault, every five minutes. The setting of that name then stands in only for a secret that the vault does not have.',
  }),
  KEY_VAULT_URL: serviceUri.optional().register(notes, {
    group: 'secrets',
    description:
      'The vault, as `https://<name>.vault.azure.net`; required with `USE_SECRETS_MANAGER`. The app identity needs the role Key Vault Secrets User.',
  }),
  SECRET_KEY_NAME: secretName.default('secret-key').register(notes, {
    group: 'secrets',
    description: 'Name in the vault of what `SECRET_KEY` is.',
  }),
  JWT_SECRET_NAME: secretName.default('jwt-secret').register(notes, {
    group: 'secrets',
    description: 'Name in the vault of what `JWT_SECRET` is.',
  }),
  DATABASE_URL_NAME: secretName.default('database-url').register(notes, {
    group: 'secrets',
    description: 'Name in the vault of what `DATABASE_URL` is.',
  }),
};
