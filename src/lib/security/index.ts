export { newApiKey } from './api-keys.ts';
export { type Authenticate, createAuthenticator, type StoredApiKey } from './authenticate.ts';
export { type AzureIdentity, createAzureIdentity, databaseToken } from './azure-identity.ts';
export { createKeyring, equalsInConstantTime, type Keyring, type RotatingSecret } from './derived-keys.ts';
export { isIdentityError } from './identity-error.ts';
export { allows, type Caller, isAdmin, isScope, type Scope, scopes } from './scopes.ts';
export { createScraperCheck, type IsScraper } from './scrape-token.ts';
