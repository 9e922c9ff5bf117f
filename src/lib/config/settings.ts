import * as z from 'zod';
import { chaos } from './chaos.ts';

/** What documentation and the local example need to know of a setting beside its schema. */
interface SettingNotes {
  readonly group:
    | 'service'
    | 'database'
    | 'storage'
    | 'uploads'
    | 'access'
    | 'backups'
    | 'alerts'
    | 'telemetry';
  readonly description: string;
  /** Value in local.settings.example.json; left out where the default is right on a developer's machine. */
  readonly local?: string;
  /** Its value must never be shown. */
  readonly secret?: true;
}

const notes = z.registry<SettingNotes>();

const mebibyte = 2 ** 20;

/** A comma-separated list, trimmed, without empty entries. */
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ''),
);

/** The types of file that the gate can tell by their content. */
const knownExtensions = ['jpg', 'jpeg', 'png', 'webp', 'gif', 'heic', 'avif', 'tiff', 'bmp', 'pdf'] as const;

const flag = z.stringbool({ truthy: ['true', '1', 'yes', 'on'], falsy: ['false', '0', 'no', 'off'] });

const sslmodes = ['disable', 'require', 'verify-full', 'no-verify'];

const databaseUrl = z
  .url({
    protocol: /^postgres(ql)?$/,
    error: 'must be a postgresql:// URL, with user and password percent-encoded',
    abort: true,
  })
  .refine(isPercentEncoded, 'has a % that encodes nothing; write %25 for a % in the password')
  .refine((text) => /^\w+:\/\/(?:[^/@]*@)?[^/@]+\/[^/?]+/.test(text), 'must name a host and a database')
  .refine(
    (text) => sslmodes.includes(/[?&]sslmode=([^&]*)/.exec(text)?.[1] ?? 'disable'),
    `has an sslmode that is none of ${sslmodes.join(', ')}`,
  );

/** The form of the specification: https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables */
function readHeaders(text: string): Readonly<Record<string, string>> | undefined {
  const pairs = text.split(',').flatMap((entry) => (entry.trim() === '' ? [] : [entry.trim()]));
  const headers = pairs.map((pair) => /^([\w!#$%&'*+.^`|~-]+)\s*=\s*([!-~]*)$/.exec(pair));
  if (!headers.every((header) => header !== null && isPercentEncoded(header[2] ?? ''))) return undefined;
  return Object.fromEntries(
    headers.flatMap((header) => (header ? [[header[1], decodeURIComponent(header[2] ?? '')]] : [])),
  );
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

const storageConnectionString = z
  .string()
  .regex(
    /^UseDevelopmentStorage=true(?:;|$)|(?=.*AccountName=[^;]+)(?=.*AccountKey=[^;]+)/i,
    'must name an account and its key',
  );

/** The endpoint of one storage service, without a trailing slash; a token is never sent in the clear. */
const serviceUri = z
  .url({ protocol: /^https$/, error: 'must be an https:// URL', abort: true })
  .refine(isEndpoint, 'must be an endpoint: no credentials, query or container')
  .transform((text) => new URL(text).href.replace(/\/+$/, ''));

/** The address of a webhook; plain HTTP is for tests only, and a check across settings sees to it. */
const webhookUrl = z
  .url({ protocol: /^https?$/, error: 'must be an https:// URL', abort: true })
  .refine((text) => !/^\w+:\/\/[^/]*@/.test(text), 'must not hold credentials');

/** The emulator has the account's name in the path. */
function isEndpoint(text: string): boolean {
  const { username, password, search, hash, pathname } = new URL(text);
  return `${username}${password}${search}${hash}` === '' && /^\/[^/]*\/?$/.test(pathname);
}

const accountName = z.string().regex(/^[a-z0-9]{3,24}$/, 'must be 3–24 lower-case letters or digits');

/** How many connections an instance may hold. */
const poolSize = (most: number) =>
  z
    .string()
    .regex(/^\d{1,3}$/, 'must be a whole number')
    .transform(Number)
    .refine((size) => size >= 1 && size <= most, `must be from 1 to ${most}`);

/** Containers that the app uses for other things. */
const reservedContainers = ['crownsafe-trash', 'crownsafe-backups', 'crownsafe-reports', 'crownsafe-locks'];

/**
 * Every setting of the application: the one declaration from which loading, docs/settings.md and
 * local.settings.example.json follow.
 */
export const settingsSchema = z.object({
  ENVIRONMENT: z
    .enum(['production', 'staging', 'development', 'test'])
    .default('production')
    .register(notes, {
      group: 'service',
      description: 'What kind of place this is. Unset means `production`: everything fails closed.',
      local: 'development',
    }),
  LOG_LEVEL: z.enum(['debug', 'info', 'warning', 'error']).default('info').register(notes, {
    group: 'service',
    description: 'Least severe level that is logged.',
  }),
  CHAOS: chaos.optional().register(notes, {
    group: 'service',
    description:
      'Faults on purpose, for tests and drills: `blob:fault=0.3,latency=200ms postgres:fault=0.1` fails a share of the tries and delays each. Refused in production.',
  }),
  SECRET_KEY: z.string().min(32, 'must have at least 32 characters').register(notes, {
    group: 'service',
    description: 'Root of the keys derived for signing and hashing; at least 32 random characters.',
    local: 'local-development-only-0123456789abcdef',
    secret: true,
  }),
  DATABASE_URL: databaseUrl.register(notes, {
    group: 'database',
    description:
      "PostgreSQL 14–18; may be PgBouncer. `sslmode` is `disable`, `require`, `verify-full` (the same here: encrypted and verified) or `no-verify`. Without a password, and over verified TLS, a token of the app's identity is the password.",
    local: 'postgresql://postgres:postgres@127.0.0.1:5433/crownsafe',
    secret: true,
  }),
  DATABASE_DIRECT_URL: databaseUrl.optional().register(notes, {
    group: 'database',
    description:
      'PostgreSQL without a pooler between, for backups, migrations and reports. Default: `DATABASE_URL`.',
    secret: true,
  }),
  DATABASE_POOL_SIZE: poolSize(100).default(10).register(notes, {
    group: 'database',
    description:
      'Connections to `DATABASE_URL` of one instance. Times the most instances it must stay below what the server allows.',
  }),
  DATABASE_DIRECT_POOL_SIZE: poolSize(20).default(3).register(notes, {
    group: 'database',
    description: 'Connections to `DATABASE_DIRECT_URL` of one instance, opened when first needed.',
  }),
  AzureWebJobsStorage: storageConnectionString.optional().register(notes, {
    group: 'storage',
    description:
      "The platform's own storage connection; also ours when no other storage setting is given; the queue of jobs is always there. In Azure an identity takes its place.",
    local: 'UseDevelopmentStorage=true',
    secret: true,
  }),
  AzureWebJobsStorage__accountName: accountName.optional().register(notes, {
    group: 'storage',
    description: "The platform's own storage by identity: the account's name, in the public cloud.",
  }),
  AzureWebJobsStorage__blobServiceUri: serviceUri.optional().register(notes, {
    group: 'storage',
    description: "The platform's own storage by identity, in any cloud: all three endpoints.",
  }),
  AzureWebJobsStorage__queueServiceUri: serviceUri.optional().register(notes, {
    group: 'storage',
    description: 'Together with `AzureWebJobsStorage__blobServiceUri`.',
  }),
  AzureWebJobsStorage__tableServiceUri: serviceUri.optional().register(notes, {
    group: 'storage',
    description: 'Together with `AzureWebJobsStorage__blobServiceUri`.',
  }),
  AZURE_STORAGE_CONNECTION_STRING: storageConnectionString.optional().register(notes, {
    group: 'storage',
    description: 'Storage by connection string.',
    secret: true,
  }),
  AZURE_STORAGE_ACCOUNT_NAME: accountName.optional().register(notes, {
    group: 'storage',
    description:
      'Storage by account name in the public cloud: with `AZURE_STORAGE_ACCOUNT_KEY` by key, without it by identity.',
  }),
  AZURE_STORAGE_ACCOUNT_KEY: z.base64().min(1).optional().register(notes, {
    group: 'storage',
    description: 'Key of the account named by `AZURE_STORAGE_ACCOUNT_NAME`.',
    secret: true,
  }),
  AZURE_STORAGE_CONTAINER: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9]|-(?=[a-z0-9])){2,62}$/, 'must be a container name')
    .refine((name) => !reservedContainers.includes(name), 'is used for something else')
    .default('crownsafe-images')
    .register(notes, {
      group: 'storage',
      description: 'Container of the uploaded files.',
    }),
  AZURE_CLIENT_ID: z.guid('must be a GUID').optional().register(notes, {
    group: 'storage',
    description:
      'Client id of the user-assigned identity that reaches storage and database. Left out: whichever identity `DefaultAzureCredential` finds.',
  }),
  UPLOAD_MAX_BYTES: z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number of bytes')
    .transform(Number)
    .refine((bytes) => bytes >= 1 && bytes <= 32 * mebibyte, 'must be from 1 to 33554432')
    .default(10 * mebibyte)
    .register(notes, {
      group: 'uploads',
      description: 'Largest upload through the API, in bytes; at most 32 MiB.',
    }),
  UPLOAD_EXTENSIONS: list
    .pipe(z.array(z.enum(knownExtensions)).min(1))
    .default([...knownExtensions])
    .readonly()
    .register(notes, {
      group: 'uploads',
      description: 'File types that are accepted, by extension, comma separated; a subset of the default.',
    }),
  CORS_ORIGINS: list
    .refine(
      (origins) => origins.every((origin) => origin === '*' || isOrigin(origin)),
      'must be origins like https://app.example',
    )
    .default([])
    .readonly()
    .register(notes, {
      group: 'access',
      description:
        'Origins whose browsers may call the API, comma separated, or `*` (refused in production).',
    }),
  METRICS_TOKEN: z.string().min(16, 'must have at least 16 characters').optional().register(notes, {
    group: 'access',
    description:
      'Bearer token for `/metrics`; without it, production asks for a credential with `monitoring:read`.',
    secret: true,
  }),
  ENABLE_AUTOMATED_BACKUPS: flag.default(true).register(notes, {
    group: 'backups',
    description: 'Whether the nightly timer takes a backup.',
  }),
  BACKUP_STORAGE_BLOB_URI: serviceUri.optional().register(notes, {
    group: 'backups',
    description: 'Blob endpoint of the account that keeps the backups, by identity.',
  }),
  BACKUP_STORAGE_CONNECTION_STRING: storageConnectionString.optional().register(notes, {
    group: 'backups',
    description:
      'The account that keeps the backups, by connection string. Without either, backups lie beside the files.',
    secret: true,
  }),
  BACKUP_DATABASE_ROLE: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'must be the name of a role')
    .optional()
    .register(notes, {
      group: 'backups',
      description:
        'Role that a dump takes on, for a login that may not read everything itself; `crownsafe roles apply` makes one called `backup`.',
    }),
  SLACK_WEBHOOK_URL: webhookUrl.optional().register(notes, {
    group: 'alerts',
    description:
      'Incoming webhook of Slack, or of a service that takes its messages, under a public address. Whoever knows it can post.',
    secret: true,
  }),
  PAGERDUTY_SERVICE_KEY: z
    .string()
    .regex(/^[A-Za-z0-9]{32}$/, 'must be an integration key of 32 letters or digits')
    .optional()
    .register(notes, {
      group: 'alerts',
      description: 'Integration key of a PagerDuty service, for its Events API v2.',
      secret: true,
    }),
  APPLICATIONINSIGHTS_CONNECTION_STRING: z
    .string()
    .regex(
      /(?:^|;)\s*InstrumentationKey=[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:;|$)/i,
      'must name an InstrumentationKey',
    )
    .optional()
    .register(notes, {
      group: 'telemetry',
      description:
        'Application Insights, where traces and metrics are sent; the host sends requests and log lines there, too. `APPLICATION_INSIGHTS_NO_STATSBEAT=true` beside it keeps the exporter from sending statistics about itself, as the deployment does.',
      secret: true,
    }),
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: z
    .string()
    .regex(/(?:^|;)\s*Authorization=AAD\s*(?:;|$)/i, 'must say Authorization=AAD, or be left out')
    .optional()
    .register(notes, {
      group: 'telemetry',
      description:
        "`Authorization=AAD`: telemetry is sent as the app's identity (`AZURE_CLIENT_ID`), which needs the role Monitoring Metrics Publisher. The host reads `ClientId` in it as well.",
    }),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL', abort: true })
    .refine((text) => !/[?#@]/.test(text), 'must be an address without credentials or query')
    .transform((text) => text.replace(/\/+$/, ''))
    .optional()
    .register(notes, {
      group: 'telemetry',
      description:
        'A collector that takes OTLP over HTTP, as `http://localhost:4318`; beside Application Insights or instead. The host sends there, too: by gRPC, unless `OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf` stands beside it, as in the deployment.',
    }),
  OTEL_EXPORTER_OTLP_HEADERS: z
    .string()
    .transform(readHeaders)
    .refine(
      (headers) => headers !== undefined,
      'must be name=value pairs, comma separated, values percent-encoded',
    )
    .optional()
    .register(notes, {
      group: 'telemetry',
      description: 'Headers for the collector: `name=value`, comma separated, values percent-encoded.',
      secret: true,
    }),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(?:0(?:\.\d{1,6})?|1(?:\.0{1,6})?)$/, 'must be from 0 to 1')
    .transform(Number)
    .default(1)
    .register(notes, {
      group: 'telemetry',
      description:
        'Share of the traces that begin here which are kept, from 0 to 1. Who calls with a trace of its own, as the host does, decides for that one. Metrics and log lines are always whole.',
    }),
});

/** The settings as read, before anything is derived from them. */
export type Settings = z.infer<typeof settingsSchema>;

/** One row of the documentation of settings. */
export interface SettingDescription extends SettingNotes {
  readonly name: string;
  readonly required: boolean;
  readonly defaultText: string | undefined;
  /** The values it can have, where they are few. */
  readonly allowed: readonly string[] | undefined;
}

/** Describes every setting, in the order of the schema. */
export function describeSettings(): SettingDescription[] {
  return Object.entries(settingsSchema.shape).map(([name, schema]) => {
    const note = notes.get(schema);
    if (!note) throw new Error(`setting ${name} has no description`);
    const whenUnset = schema.safeParse(undefined);
    const inner = schema instanceof z.ZodDefault ? schema.unwrap() : schema;
    const defaultValue = whenUnset.success ? whenUnset.data : undefined;
    return {
      name,
      ...note,
      required: !whenUnset.success,
      defaultText: defaultValue === undefined ? undefined : String(defaultValue),
      allowed: inner instanceof z.ZodEnum ? inner.options : undefined,
    };
  });
}
