export { type Config, ConfigError, loadConfig, type StorageConnection } from './load.ts';
export { describeSettings } from './settings.ts';
