import packageJson from '../package.json' with { type: 'json' };
import { createAuthentication } from './authentication.ts';
import { auditQuestions, dependencyChecks } from './dependencies.ts';
import { declareGauges } from './gauges.ts';
import {
  createApiKeys,
  createCredentialGuard,
  createErasures,
  createKeyAdministration,
  createProjects,
  type EncryptedColumn,
} from './lib/access/index.ts';
import { alertChannels, createAlerts } from './lib/alerts/index.ts';
import { createAuditTrail } from './lib/audit/index.ts';
import { createBackups } from './lib/backup/index.ts';
import { createCaches } from './lib/cache/index.ts';
import { auditSettings, type Config, loadConfig } from './lib/config/index.ts';
import { createLifecycle, type Lazy, lazy, memoize, newId, systemClock } from './lib/core/index.ts';
import { createDatabase, createIdempotency, parseDatabaseUrl } from './lib/database/index.ts';
import { createFiles } from './lib/files/index.ts';
import { createBreakers, createLiveness, createReadiness, createSecurityAudit } from './lib/health/index.ts';
import { createCursors, createEdge, createRateLimiter, watchRawRequests } from './lib/http/index.ts';
import { createJobs, type Jobs } from './lib/jobs/index.ts';
import {
  createLogger,
  createTelemetry,
  currentContext,
  propagationHeaders,
} from './lib/observability/index.ts';
import { connectionsPerHost, createOutbound } from './lib/outbound/index.ts';
import { createReports } from './lib/reports/index.ts';
import { createResilience } from './lib/resilience/index.ts';
import {
  createAzureIdentity,
  createKeyring,
  createScraperCheck,
  databaseToken,
} from './lib/security/index.ts';
import { createSasLinks } from './lib/sharing/index.ts';
import { createStorage } from './lib/storage/index.ts';
import { observeResilience, tellOfCalls } from './observe-resilience.ts';
import { openSecrets } from './open-secrets.ts';
import { telemetryDestinations } from './telemetry-destinations.ts';

const clock = systemClock;

/**
 * The composition root: config → clients → policies → use cases. Everything is made at its first use, and no connection
 * is opened before it is needed: an outage at start must not keep the app from starting.
 */
function createRuntime(config: Config, logTo: NodeJS.WritableStream) {
  const logger = createLogger({
    clock,
    level: config.LOG_LEVEL,
    write: (line) => logTo.write(`${line}\n`),
  });
  const lifecycle = createLifecycle({ clock, logger });
  const instance = newId().slice(0, 8);
  const identity = createAzureIdentity(config.AZURE_CLIENT_ID, {
    clock,
    onRefreshFailure: (error) => logger.child('security').warning('a token could not be renewed', { error }),
  });
  const telemetry = createTelemetry({
    clock,
    logger,
    instance,
    service: { name: packageJson.name, version: packageJson.version, environment: config.ENVIRONMENT },
    sampleRatio: config.OTEL_TRACES_SAMPLER_ARG,
    destinations: telemetryDestinations(config, identity),
  });
  const { metrics } = telemetry;
  const observe = observeResilience(logger, metrics);
  const policies = createResilience({
    clock,
    onEvent(event) {
      observe(event);
      if (event.type === 'breaker') breakers().tell(event.dependency);
    },
    chaos: config.CHAOS,
    overrideOf: (dependency) => breakers().overrideOf(dependency),
    bulkheadSizes: {
      postgres: config.DATABASE_POOL_SIZE,
      'postgres-direct': config.DATABASE_DIRECT_POOL_SIZE,
      webhook: connectionsPerHost,
    },
  });
  const resilience = tellOfCalls(policies, clock, logger);
  if (config.CHAOS) logger.warning('calls are disturbed on purpose', { chaos: config.CHAOS });
  const secrets = openSecrets(config, {
    clock,
    logger: logger.child('security'),
    metrics,
    resilience,
    identity,
  });
  const keyring = createKeyring(secrets.secretKey);
  const cursors = createCursors(keyring);
  const correlationId = () => currentContext()?.correlationId;
  const openStorage = (connection: Config['storage']) =>
    createStorage({ connection, identity, resilience, clock, correlationId });
  const storage = openStorage(config.storage);
  // An account is opened once, so that a passing health check counts for all that lies in it.
  const openBeside = (connection: Config['storage']) =>
    connection === config.storage ? storage : openStorage(connection);
  const breakers = lazy(() =>
    createBreakers({
      clock,
      logger: logger.child('health'),
      table: storage.table('crownsafebreakers', 'table-control'),
      instance,
      resilience,
      onEvent: observe,
      noteAudit: (...note) => audit.noteIfPossible(...note),
    }),
  );
  const queueStorage = openBeside(config.queueStorage);
  const backupStorage = openBeside(config.backupStorage);
  // The same object for the same URL, by which the pools tell that it is another.
  const addressOf = memoize(4, (url) => parseDatabaseUrl(url, () => databaseToken(identity)));
  const appAddress = () => addressOf(secrets.databaseUrl());
  const directUrl = config.DATABASE_DIRECT_URL;
  const directAddress = directUrl === undefined ? appAddress : addressOf(directUrl);
  const caches = createCaches({
    clock,
    logger: logger.child('cache'),
    table: () => storage.table('crownsafecache'),
    instance,
  });
  const database = createDatabase({
    app: { address: appAddress, maxConnections: config.DATABASE_POOL_SIZE },
    direct: { address: directAddress, maxConnections: config.DATABASE_DIRECT_POOL_SIZE },
    resilience,
  });
  const audit = createAuditTrail({
    clock,
    logger: logger.child('audit'),
    database,
    keyring,
    cursors,
    archive: backupStorage.blobs('crownsafe-audit', 'backup-blob'),
  });
  const channels = alertChannels({
    slackWebhookUrl: config.SLACK_WEBHOOK_URL,
    pagerDutyKey: config.PAGERDUTY_SERVICE_KEY,
  });
  const outbound = createOutbound({
    resilience,
    allowedHosts: channels.map(({ url }) => new URL(url).host),
    allowLoopback: config.ENVIRONMENT === 'test',
    propagate() {
      const id = correlationId();
      return { ...propagationHeaders(), ...(id !== undefined && { 'x-correlation-id': id }) };
    },
  });
  // The first, because some metrics ask the database.
  lifecycle.onStop('telemetry', telemetry.stop);
  lifecycle.onStop('outgoing calls', () => outbound.close());
  const alerts = lazy(() =>
    createAlerts({
      clock,
      logger: logger.child('alerts'),
      outbound,
      channels,
      source: { name: `Crown Safe (${config.ENVIRONMENT})`, baseUrl: config.PUBLIC_BASE_URL },
      noteAudit: audit.noteIfPossible,
    }),
  );
  lifecycle.onStop('database', () => database.close());
  const idempotency = createIdempotency({ clock, database, logger: logger.child('database') });
  const liveness = createLiveness(clock, packageJson.version);
  const apiKeys = createApiKeys({ database });
  const credentialGuard = createCredentialGuard({
    clock,
    database,
    keyring,
    logger: logger.child('access'),
    metrics,
    audit: audit.record,
  });
  /** Of every room that encrypts: what `crownsafe keys rotate` goes through. */
  const encryptedColumns: readonly EncryptedColumn[] = [
    { table: 'audit_log', column: 'client_address', reencrypt: audit.reencrypt },
  ];
  const administrationPorts = { clock, database, keyring, cursors, idempotency, audit: audit.record };
  const erasures = lazy(() =>
    createErasures({
      clock,
      logger: logger.child('access'),
      database,
      audit: audit.record,
      container: config.AZURE_STORAGE_CONTAINER,
      enqueue: (id, signal, alongside) => jobs().enqueue('erasure', id, signal, alongside),
      eraseFiles: (order, signal) => files().erase(order, signal),
      purge: (blobNames, signal) => files().purge(blobNames, signal),
      eraseAuditFacts: audit.eraseFacts,
      forgetInAudit: audit.forget,
    }),
  );
  const files = lazy(() =>
    createFiles({
      clock,
      logger: logger.child('files'),
      metrics,
      database,
      audit: audit.record,
      caches,
      idempotency,
      cursors,
      blobs: storage.blobs(config.AZURE_STORAGE_CONTAINER),
      trash: storage.blobs('crownsafe-trash'),
      container: config.AZURE_STORAGE_CONTAINER,
      rules: { maxBytes: config.UPLOAD_MAX_BYTES, extensions: config.UPLOAD_EXTENSIONS },
    }),
  );
  const backups = lazy(() =>
    createBackups({
      clock,
      logger: logger.child('backup'),
      connection: directAddress,
      databaseRole: config.BACKUP_DATABASE_ROLE,
      blobs: backupStorage.blobs('crownsafe-backups', 'backup-blob'),
      table: storage.table('crownsafebackups'),
      cursors,
      noteAudit: audit.note,
      enqueue: async (name, signal) => {
        const entry = { action: 'backup.request', object: { type: 'backup', id: name } };
        await jobs().enqueue('backup', name, signal, (trx, id) =>
          audit.record(trx, { ...entry, after: { job_id: id } }),
        );
      },
      onFailure: (name) =>
        alerts().send({
          summary: `The backup ${name} has failed`,
          severity: 'error',
          key: 'backup',
          path: `/api/v1/backups/${name}`,
        }),
    }),
  );
  const jobs: Lazy<Jobs> = lazy(() =>
    createJobs({
      clock,
      logger,
      metrics,
      database,
      audit: audit.record,
      cursors,
      queue: queueStorage.queue('jobs'),
      poisonQueue: queueStorage.queue('jobs-poison'),
      handlers: {
        backup: (name, signal) => backups().run(name, signal),
        erasure: (id, signal) => erasures().run(id, signal),
      },
    }),
  );
  const accounts = {
    secrets,
    database,
    storage,
    queueStorage,
    backupStorage,
    container: config.AZURE_STORAGE_CONTAINER,
  };
  const { critical, all } = dependencyChecks(accounts);
  const audited = (instead: Partial<Config> = {}) =>
    auditSettings({
      config: { ...config, ...instead },
      nodeVersion: process.versions.node,
      now: clock.now(),
    });
  declareGauges({
    clock,
    metrics,
    resilience,
    database,
    caches,
    uptimeSeconds: () => liveness().uptime_seconds,
    poisonCount: (signal) => jobs().poisonCount(signal),
    unsealedAgeSeconds: audit.unsealedAgeSeconds,
    storedBytes: (signal) => files().storedBytes(signal),
  });

  return {
    config,
    clock,
    logger,
    lifecycle,
    metrics,
    telemetry,
    secrets,
    audit,
    credentialGuard,
    database,
    keyring,
    encryptedColumns,
    caches,
    keyAdministration: lazy(() => createKeyAdministration(administrationPorts)),
    projects: lazy(() => createProjects(administrationPorts)),
    erasures,
    files,
    backups,
    breakers,
    idempotency,
    edge: createEdge({
      clock,
      logger,
      metrics,
      lifecycle,
      rawRequests: watchRawRequests(clock),
      ready: secrets.ready,
      authenticate: createAuthentication({
        config,
        clock,
        logger: logger.child('security'),
        lifecycle,
        resilience,
        database,
        keyring,
        jwtSecrets: secrets.jwtSecrets,
        findApiKey: apiKeys.find,
      }),
      isScraper: createScraperCheck(keyring, config.METRICS_TOKEN),
      isProduction: config.isProduction,
      corsOrigins: config.CORS_ORIGINS,
      trustedProxyHops: config.TRUSTED_PROXY_HOPS,
      limits:
        config.ENVIRONMENT === 'test'
          ? undefined
          : { rate: createRateLimiter(clock, metrics), guard: credentialGuard.guard },
      noteRefusal: audit.noteRefusal,
    }),
    sasLinks: lazy(() =>
      createSasLinks({
        clock,
        caches,
        blobs: storage.blobs(config.AZURE_STORAGE_CONTAINER),
        noteAudit: audit.note,
        findLinkable: (caller, ids, signal) => files().findLinkable(caller, ids, signal),
      }),
    ),
    reports: lazy(() => createReports({ database, clock })),
    alerts,
    jobs,
    locks: storage.locks('crownsafe-locks'),
    liveness,
    readiness: createReadiness({
      clock,
      logger: logger.child('health'),
      isStopping: () => lifecycle.isStopping,
      checks: critical,
    }),
    dependencies: all,
    securityAudit: lazy(() =>
      createSecurityAudit({
        clock,
        logger: logger.child('security'),
        metrics,
        readSettings: audited,
        questions: auditQuestions(clock, accounts, audited),
      }),
    ),
    /** For the end of the process: lets work end and closes connections. */
    dispose: lifecycle.stop,
  };
}

/** The one instance of this process. @throws ConfigError when the settings are not usable */
export const runtime = lazy(() => createRuntime(loadConfig(), process.stdout));

/** The one instance of an operator's command, whose stdout is its answer. @throws ConfigError when the settings are not usable */
export const commandRuntime = lazy(() => createRuntime(loadConfig(), process.stderr));
