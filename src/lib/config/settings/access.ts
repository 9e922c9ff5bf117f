import * as z from 'zod';
import { notes } from './notes.ts';
import { list } from './shapes.ts';

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

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
};
