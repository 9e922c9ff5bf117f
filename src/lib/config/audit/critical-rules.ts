import { type Config, ConfigError } from '../load.ts';
import { findBy, isDeployed, type SettingsRule } from './finding.ts';
import { drawn, isWeak, namesOf } from './weak-secret.ts';

/** Out of reach for whoever has a signature to try keys against; 32 drawn characters hold 110 and more, as they are counted here. */
const keyBits = 80;

/** Whether a secret from which others are made can be guessed; one that is not set cannot. */
export function isGuessable(secret: string | undefined): boolean {
  return isWeak(secret, keyBits);
}

/** What keeps the app from starting in production. All of it is loaded at each cold start; the other rules come when they are asked for. */
export const criticalRules: readonly SettingsRule[] = [
  {
    id: 'weak_secret_key',
    level: 'critical',
    title: 'The root of all keys can be guessed',
    fix: `Set SECRET_KEY to what \`${drawn}\` prints, and SECRET_KEY_PREVIOUS to what it was, until crownsafe keys rotate says that nothing needs that`,
    found: ({ config }) => isGuessable(config.SECRET_KEY),
  },
  {
    id: 'weak_jwt_secret',
    level: 'critical',
    title: 'The secret of bearer tokens can be guessed, and any caller forged',
    fix: `Set JWT_SECRET to what \`${drawn}\` prints here and at the issuer, with no weak JWT_SECRET_PREVIOUS beside it, or use JWT_JWKS_URL`,
    found: ({ config }) =>
      config.JWT_SECRET !== undefined &&
      namesOf(['JWT_SECRET', 'JWT_SECRET_PREVIOUS'], (name) => isGuessable(config[name])),
  },
  {
    id: 'easy_auth_without_platform',
    level: 'critical',
    title: 'Clients may say themselves who they are',
    fix: 'Switch App Service Authentication on (az webapp auth update --name <app> --resource-group <group> --enabled true), or remove EASY_AUTH. Where it is on and the platform does not say so: make sure that an x-ms-client-principal of your own is ignored, then set WEBSITE_AUTH_ENABLED=true',
    found: ({ config }) => isDeployed(config) && config.EASY_AUTH && !config.hasPlatformAuth,
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
