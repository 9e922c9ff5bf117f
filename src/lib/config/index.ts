export { type Config, ConfigError, loadConfig } from './load.ts';
export { describeSettings } from './settings.ts';
