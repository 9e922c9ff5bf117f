import * as z from 'zod';
import { idShape, pageOf, pageParameters, plainText, textsByName } from '../http/index.ts';

/** Bounds of what a client may attach to a file. */
const maxMetadataValues = 32;
const maxMetadataBytes = 8 * 1024;

/** Free facts a client attaches to a file: at most 32 texts, 8 KiB in all. */
export const metadataShape = z
  .unknown()
  // Checked before: a record drops it in silence.
  .refine(
    (value) => !(typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__')),
    '__proto__ is no name',
  )
  .pipe(textsByName(plainText(1, 128), plainText(0, maxMetadataBytes), maxMetadataValues))
  .refine(
    (values) => Buffer.byteLength(JSON.stringify(values)) <= maxMetadataBytes,
    `is larger than ${maxMetadataBytes} bytes`,
  );

/** A file as the API shows it. */
export const fileShape = z.strictObject({
  id: idShape,
  name: z.string(),
  content_type: z.string(),
  size: z.int(),
  sha256: z.string(),
  status: z.enum(['pending', 'available', 'quarantined', 'deleted']),
  metadata: z.record(z.string(), z.string()),
  project_id: z.string().nullable(),
  owner_id: z.string(),
  created_at: z.iso.datetime(),
  etag: z.string(),
  blob: z.strictObject({ container: z.string(), name: z.string(), url: z.url() }),
});

export type FileView = z.infer<typeof fileShape>;

export const filePageShape = pageOf(fileShape);

/** A time, or a date that means its midnight in UTC. */
const instant = z
  .union([z.iso.datetime({ offset: true }).max(40), z.iso.date()], {
    error: 'must be an RFC 3339 time or a date',
  })
  // PostgreSQL knows no year 0.
  .refine((text) => !text.startsWith('0000'), 'must be a time of our era')
  .transform((text) => new Date(text).toISOString());

/** Query parameters of the list of files. */
export const listQuery = z.strictObject({
  ...pageParameters,
  prefix: plainText(1, 255).optional(),
  status: z.enum(['pending', 'available', 'quarantined', 'deleted']).optional(),
  content_type: plainText(1, 100).optional(),
  project_id: idShape.optional(),
  created_after: instant.optional(),
  created_before: instant.optional(),
  sort: z.enum(['created_at', '-created_at', 'name', '-name', 'size', '-size']).default('-created_at'),
});

export type ListQuery = z.infer<typeof listQuery>;
