export { type ApiKeys, createApiKeys } from './api-keys.ts';
export { type CredentialGuard, createCredentialGuard } from './credential-guard.ts';
export { createErasures } from './erasures.ts';
export { createKeyAdministration, insertApiKey, type KeyAdministration } from './key-administration.ts';
export { createKeyRotation, type EncryptedColumn, type KeyRotation } from './key-rotation.ts';
export { createKeyUses } from './key-uses.ts';
export { describeCaller } from './me.ts';
export { createMemberships } from './memberships.ts';
export { createProjects } from './projects.ts';
export {
  type ApiKeyView,
  apiKeyPageShape,
  apiKeyParams,
  apiKeyRequest,
  apiKeyShape,
  maxExpiryDays,
  memberParams,
  meShape,
  newApiKeyShape,
  plainListQuery,
  projectPageShape,
  projectParams,
  projectRequest,
  projectShape,
  projectWithMembersShape,
  userParams,
} from './shapes.ts';
