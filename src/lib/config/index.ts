export { isGuessable, refuseCritical } from './audit/critical-rules.ts';
export { type Finding, findingLevels, isDeployed, worstFirst } from './audit/finding.ts';
export { auditSettings } from './auditing.ts';
export { databaseTls } from './database-tls.ts';
export {
  type Config,
  ConfigError,
  faultOfSetting,
  loadConfig,
  loadDatabaseSettings,
  silenceLibraries,
  type VaultSetting,
} from './load.ts';
export { describeSettings } from './settings.ts';
export type { StorageConnection, StorageEndpoints } from './storage-connections.ts';
