export { type Config, ConfigError, loadConfig, loadDatabaseSettings, silenceLibraries } from './load.ts';
export { describeSettings } from './settings.ts';
export type { StorageConnection, StorageEndpoints } from './storage-connections.ts';
