import * as z from 'zod';
import { notes } from './notes.ts';
import { isPercentEncoded } from './shapes.ts';

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

/** How many connections an instance may hold. */
const poolSize = (most: number) =>
  z
    .string()
    .regex(/^\d{1,3}$/, 'must be a whole number')
    .transform(Number)
    .refine((size) => size >= 1 && size <= most, `must be from 1 to ${most}`);

/** PostgreSQL. */
export const databaseSettings = {
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
};
