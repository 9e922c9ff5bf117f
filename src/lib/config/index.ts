export { auditSettings, refuseCritical, worstFirst } from './audit/audit.ts';
export { type Finding, findingLevels, isDeployed } from './audit/finding.ts';
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
