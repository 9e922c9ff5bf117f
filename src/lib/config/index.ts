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
