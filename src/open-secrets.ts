import { type Config, faultOfSetting, isGuessable, type VaultSetting } from './lib/config/index.ts';
import type { Clock } from './lib/core/index.ts';
import { type Logger, type Metrics, outsideOfInvocations } from './lib/observability/index.ts';
import type { Resilience } from './lib/resilience/index.ts';
import {
  type AzureIdentity,
  createSecrets,
  openKeyVault,
  type RotatingSecret,
  type SecretPlace,
} from './lib/security/index.ts';

interface SecretsPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly resilience: Resilience;
  readonly identity: AzureIdentity;
}

/** A vault answers within a fraction of a second; who waits is a request. */
const vaultTimeoutMs = 5_000;

/** The secrets that may be kept in Key Vault, by the settings. */
export function openSecrets(config: Config, { clock, logger, metrics, resilience, identity }: SecretsPorts) {
  const failures = metrics.counter(
    'secrets_read_failures_total',
    'Secrets that could not be read from the vault',
  );
  const url = config.USE_SECRETS_MANAGER ? config.KEY_VAULT_URL : undefined;
  /** What keeps the app from starting in production when the settings have it. */
  const weaknessOf = (setting: VaultSetting, value: string, isNewest: boolean) => {
    const counts = setting === 'JWT_SECRET' || (setting === 'SECRET_KEY' && isNewest);
    return config.isProduction && counts && isGuessable(value) ? 'can be guessed' : undefined;
  };
  const place = (
    setting: VaultSetting,
    nameInVault: string,
    current: string | undefined,
    {
      previous,
      optional = false,
    }: { readonly previous?: string | undefined; readonly optional?: boolean } = {},
  ): SecretPlace => ({
    setting,
    nameInVault,
    given: current === undefined ? undefined : { current, previous },
    optional,
    faultOf: (value, isNewest) => faultOfSetting(setting, value) ?? weaknessOf(setting, value, isNewest),
  });
  const secrets = createSecrets<VaultSetting>({
    clock,
    places: {
      SECRET_KEY: place('SECRET_KEY', config.SECRET_KEY_NAME, config.SECRET_KEY, {
        previous: config.SECRET_KEY_PREVIOUS,
      }),
      JWT_SECRET: place('JWT_SECRET', config.JWT_SECRET_NAME, config.JWT_SECRET, {
        previous: config.JWT_SECRET_PREVIOUS,
        optional: true,
      }),
      DATABASE_URL: place('DATABASE_URL', config.DATABASE_URL_NAME, config.DATABASE_URL),
    },
    vault:
      url === undefined
        ? undefined
        : openKeyVault({
            url,
            identity,
            // Read for everybody, not for the request that happens to wait for it.
            call: (operation, signal, work) =>
              outsideOfInvocations(() =>
                resilience.run('key-vault', operation, work, { signal, timeoutMs: vaultTimeoutMs }),
              ),
          }),
    onReading: () => resilience.noteRecovery('key-vault'),
    onFailure(setting, error) {
      failures.add({ secret: setting });
      logger.error('a secret could not be read from the vault', { setting, error });
    },
  });
  const needed = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('a secret that is not optional is not there');
    return value;
  };
  const secretKey = (): RotatingSecret => needed(secrets.get('SECRET_KEY'));
  return {
    ready: secrets.ready,
    secretKey,
    /** Of bearer tokens; `undefined` where none are accepted. */
    jwtSecrets: (): RotatingSecret | undefined => secrets.get('JWT_SECRET'),
    databaseUrl: (): string => needed(secrets.newest('DATABASE_URL')),
    /** As the settings would have them. `undefined` where they do have them, because no vault is read. */
    ofVault:
      url === undefined
        ? undefined
        : () => ({
            SECRET_KEY: secretKey().current,
            SECRET_KEY_PREVIOUS: secretKey().previous,
            JWT_SECRET: secrets.get('JWT_SECRET')?.current,
            JWT_SECRET_PREVIOUS: secrets.get('JWT_SECRET')?.previous,
            DATABASE_URL: needed(secrets.newest('DATABASE_URL')),
          }),
  };
}
