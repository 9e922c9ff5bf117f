export { type ApiKeys, createApiKeys } from './api-keys.ts';
