import * as z from 'zod';
import { chaos } from '../chaos.ts';
import { notes } from './notes.ts';

/** What the app is and how it tells of itself. */
export const serviceSettings = {
  ENVIRONMENT: z
    .enum(['production', 'staging', 'development', 'test'])
    .default('production')
    .register(notes, {
      group: 'service',
      description: 'What kind of place this is. Unset means `production`: everything fails closed.',
      local: 'development',
    }),
  PUBLIC_BASE_URL: z
    .url({ protocol: /^https?$/, error: 'must be an https:// URL', abort: true })
    .refine((text) => !/[?#@]/.test(text), 'must be an address without credentials or query')
    .transform((text) => new URL(text).href.replace(/\/+$/, ''))
    .optional()
    .register(notes, {
      group: 'service',
      description:
        'Address under which clients reach the app, as `https://api.example.com`; `https` wherever it is deployed. Links in alerts begin with it; no address is ever taken from a request.',
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
  SECRET_KEY_PREVIOUS: z.string().min(32, 'must have at least 32 characters').optional().register(notes, {
    group: 'service',
    description:
      'A second `SECRET_KEY` that is accepted as well, while the one [replaces the other](rotate-secrets.md).',
    secret: true,
  }),
};
