export { type ApiKeys, createApiKeys } from './api-keys.ts';
export { createCredentialGuard } from './credential-guard.ts';
export { createKeyRotation, type EncryptedColumn, type KeyRotation } from './key-rotation.ts';
export { createKeyUses } from './key-uses.ts';
export { createMemberships } from './memberships.ts';
