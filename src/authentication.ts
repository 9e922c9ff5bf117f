import { createKeyUses, createMemberships } from './lib/access/index.ts';
import type { Config } from './lib/config/index.ts';
import type { Clock, Lifecycle } from './lib/core/index.ts';
import type { Database } from './lib/database/index.ts';
import { type Logger, outsideOfInvocations } from './lib/observability/index.ts';
import { createOutbound } from './lib/outbound/index.ts';
import type { Resilience } from './lib/resilience/index.ts';
import {
  type Authenticate,
  createApiKeyCheck,
  createAuthenticator,
  createTokenCheck,
  type Issuer,
  type Keyring,
  type RotatingSecret,
  readClientPrincipal,
  type StoredApiKey,
} from './lib/security/index.ts';

interface AuthenticationPorts {
  readonly config: Config;
  readonly clock: Clock;
  /** Of the room `security`. */
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
  readonly resilience: Resilience;
  readonly database: Database;
  readonly keyring: Keyring;
  readonly jwtSecrets: () => RotatingSecret | undefined;
  readonly findApiKey: (id: string, signal: AbortSignal) => Promise<StoredApiKey | undefined>;
}

/** Brings together who knows callers: the keys and memberships of the database, the issuer of tokens, the front end. */
export function createAuthentication(ports: AuthenticationPorts): Authenticate {
  const { config, clock, logger, lifecycle, database, keyring } = ports;
  return createAuthenticator({
    checkApiKey: createApiKeyCheck({
      clock,
      keyring,
      find: ports.findApiKey,
      noteUse: createKeyUses({ clock, database, logger, lifecycle }),
    }),
    checkToken: createTokenCheck({
      clock,
      secrets: ports.jwtSecrets,
      keyIssuer: openIssuer(ports),
      issuer: config.JWT_ISSUER,
      audience: config.JWT_AUDIENCE,
      adminRole: config.JWT_ADMIN_ROLE,
    }),
    readPrincipal: config.EASY_AUTH ? (text) => readClientPrincipal(text, config.JWT_ADMIN_ROLE) : undefined,
    findProjects: createMemberships(database).findProjects,
    onRefusal: (kind, reason) => logger.debug('a credential was refused', { kind, reason }),
  });
}

/** The issuer of tokens, by a client that calls nobody else: its host must not be one that other calls may go to. */
function openIssuer({ config, logger, lifecycle, resilience }: AuthenticationPorts): Issuer | undefined {
  const url = config.JWT_JWKS_URL;
  if (url === undefined) return undefined;
  const outbound = createOutbound({
    resilience,
    dependency: 'jwks',
    allowedHosts: [new URL(url).host],
    allowLoopback: config.ENVIRONMENT === 'test',
    // Keys are fetched for everybody, not for the request that happens to wait for them.
    propagate: () => ({}),
  });
  lifecycle.onStop('calls to the issuer of tokens', () => outbound.close());
  return {
    fetchKeys: (request) => outsideOfInvocations(() => outbound.fetch(url, request)),
    onFailure: (error) => logger.warning('the keys of the issuer of tokens could not be fetched', { error }),
  };
}
