import * as z from 'zod';
import { notes } from './notes.ts';
import { flag, list } from './shapes.ts';

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

/** Where keys are fetched; plain HTTP is for tests on this machine only, and a check across settings sees to it. */
const keySetUrl = z
  .url({ protocol: /^https?$/, error: 'must be an https:// URL', abort: true })
  .refine((text) => !/^\w+:\/\/[^/]*@/.test(text), 'must not hold credentials');

/** Who may call. */
export const accessSettings = {
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
  JWT_SECRET: z.string().min(32, 'must have at least 32 characters').optional().register(notes, {
    group: 'access',
    description:
      'Shared secret of bearer tokens signed with HS256; at least 32 random characters. Whoever knows it can be anybody.',
    secret: true,
  }),
  JWT_SECRET_PREVIOUS: z.string().min(32, 'must have at least 32 characters').optional().register(notes, {
    group: 'access',
    description:
      'A second `JWT_SECRET` that is accepted as well, while the one [replaces the other](rotate-secrets.md).',
    secret: true,
  }),
  JWT_JWKS_URL: keySetUrl.optional().register(notes, {
    group: 'access',
    description:
      'Where the issuer of bearer tokens shows its keys (RS256, ES256), under a public https:// address. Needs `JWT_ISSUER` and `JWT_AUDIENCE`.',
  }),
  JWT_ISSUER: z.string().optional().register(notes, {
    group: 'access',
    description: 'The `iss` that a bearer token must have.',
  }),
  JWT_AUDIENCE: z.string().optional().register(notes, {
    group: 'access',
    description: 'The `aud` that a bearer token must have, alone or among others.',
  }),
  JWT_ADMIN_ROLE: z.string().default('admin').register(notes, {
    group: 'access',
    description: 'Who has this among the `roles` of a token may do everything.',
  }),
  EASY_AUTH: flag.default(false).register(notes, {
    group: 'access',
    description:
      'Whether callers are known by `x-ms-client-principal`. Only behind App Service Authentication, which takes away what clients send under that name; elsewhere anybody could be anybody.',
  }),
  TRUSTED_PROXY_HOPS: z
    .string()
    .regex(/^[0-5]$/, 'must be a whole number from 0 to 5')
    .transform(Number)
    .default(1)
    .register(notes, {
      group: 'access',
      description:
        'How many proxies write into `x-forwarded-for` before a request reaches the app: the entry that many from the right is the address of the client. 1 in Azure, whose front end writes one; 2 with a gateway of yours before it that nobody can go around; 0 looks at the connection only, which on the platform is the same for everybody.',
    }),
};
