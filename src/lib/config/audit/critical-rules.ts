import { type Config, ConfigError } from '../load.ts';
import { findBy, isDeployed, type SettingsRule } from './finding.ts';
import { drawn, isWeak, namesOf } from './weak-secret.ts';

/** Out of reach for whoever has a signature to try keys against; 32 drawn characters hold 110 and more, as they are counted here. */
const keyBits = 80;

/** What keeps the app from starting in production. All of it is loaded at each cold start; the other rules come when they are asked for. */
export const criticalRules: readonly SettingsRule[] = [
  {
    id: 'weak_secret_key',
    level: 'critical',
    title: 'The root of all keys can be guessed',
    fix: `Set SECRET_KEY to what \`${drawn}\` prints, and no weak SECRET_KEY_PREVIOUS beside it; then make API keys anew`,
    found: ({ config }) =>
      namesOf(['SECRET_KEY', 'SECRET_KEY_PREVIOUS'], (name) => isWeak(config[name], keyBits)),
  },
  {
    id: 'weak_jwt_secret',
    level: 'critical',
    title: 'JWT_SECRET can be guessed, and any caller forged',
    fix: `Set JWT_SECRET to what \`${drawn}\` prints here and at the issuer, or use JWT_JWKS_URL`,
    found: ({ config }) => isWeak(config.JWT_SECRET, keyBits),
  },
  {
    id: 'easy_auth_without_platform',
    level: 'critical',
    title: 'Clients may say themselves who they are',
    fix: 'Switch App Service Authentication on (az webapp auth update --enabled true), or remove EASY_AUTH',
    found: ({ config }) => isDeployed(config) && config.EASY_AUTH && !config.hasPlatformAuth,
  },
  {
    id: 'plain_http_base_url',
    level: 'critical',
    title: 'Links to the app lead over plain HTTP',
    fix: 'Set PUBLIC_BASE_URL to an https:// address, or remove it',
    found: ({ config }) => isDeployed(config) && (config.PUBLIC_BASE_URL?.startsWith('http:') ?? false),
  },
];

/**
 * Keeps the app from starting in production while anything is critical.
 *
 * @throws {@link ConfigError} that lists all critical findings at once, each with its fix
 */
export function refuseCritical(config: Config): void {
  if (!config.isProduction) return;
  const findings = findBy(criticalRules, { config });
  if (findings.length === 0) return;
  const lines = findings.map(({ id, title, fix }) => `  - ${id}: ${title}. ${fix}`);
  throw new ConfigError(`The settings are not safe in production:\n${lines.join('\n')}`);
}
