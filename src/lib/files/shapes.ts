import * as z from 'zod';
import { pageOf, pageParameters } from '../http/index.ts';

/** An id in a path or body. */
export const fileId = z.uuid().regex(/^[0-9a-f-]+$/, 'must be lower case');

/** Bounds of what a client may attach to a file. */
const maxMetadataValues = 32;
const maxMetadataBytes = 8 * 1024;

/** Free facts a client attaches to a file: at most 32 texts, 8 KiB in all. */
export const metadataShape = z
  .record(z.string().min(1).max(128), z.string().max(maxMetadataBytes))
  .refine(
    (values) => Object.keys(values).length <= maxMetadataValues,
    `holds more than ${maxMetadataValues} values`,
  )
  .refine(
    (values) => Buffer.byteLength(JSON.stringify(values)) <= maxMetadataBytes,
    `is larger than ${maxMetadataBytes} bytes`,
  )
  .refine((values) => !/\\u0000/.test(JSON.stringify(values)), 'holds a NUL character');

/** A file as the API shows it. */
export const fileShape = z.strictObject({
  id: fileId,
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
  .union([z.iso.datetime({ offset: true }), z.iso.date()], { error: 'must be an RFC 3339 time or a date' })
  .transform((text) => new Date(text).toISOString());

/** Query parameters of the list of files. */
export const listQuery = z.strictObject({
  ...pageParameters,
  prefix: z.string().min(1).max(255).optional(),
  status: z.enum(['pending', 'available', 'quarantined', 'deleted']).optional(),
  content_type: z.string().min(1).max(100).optional(),
  project_id: fileId.optional(),
  created_after: instant.optional(),
  created_before: instant.optional(),
  sort: z.enum(['created_at', '-created_at', 'name', '-name', 'size', '-size']).default('-created_at'),
});

export type ListQuery = z.infer<typeof listQuery>;
