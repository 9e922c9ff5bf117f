import * as z from 'zod';
import { pageOf, pageParameters, plainText } from '../http/index.ts';

/** A backup as lists show it. */
export const backupSummaryShape = z.strictObject({
  name: z.string(),
  kind: z.enum(['full', 'incremental']),
  /** The full backup that an incremental one completes. */
  base: z.string().optional(),
  status: z.enum(['queued', 'running', 'stored', 'verified', 'failed']),
  database: z.string(),
  server_version: z.string().nullable(),
  started_at: z.iso.datetime().nullable(),
  finished_at: z.iso.datetime().nullable(),
  /** Size of the SQL text. */
  dump_bytes: z.int().nullable(),
  /** Size of the blob, and the SHA-256 (hex) of its bytes. */
  stored_bytes: z.int().nullable(),
  sha256: z.string().nullable(),
  encrypted: z.boolean(),
  verification: z
    .strictObject({
      level: z.enum(['checksum', 'restore']),
      at: z.iso.datetime(),
      seconds: z.number(),
      result: z.string(),
    })
    .optional(),
  error: z.strictObject({ code: z.string(), message: z.string() }).optional(),
});

/** One table of a dump: `schema.table`, its rows and the SHA-256 (hex) of its COPY text. */
export const backupTableShape = z.strictObject({
  name: z.string(),
  rows: z.int(),
  content_hash: z.string(),
});

/** A single backup; `tables` is empty until it is stored. */
export const backupShape = backupSummaryShape.extend({ tables: z.array(backupTableShape) });

export const backupPageShape = pageOf(backupSummaryShape);

/** A backup in a path: the whole file name. */
export const backupNameParams = z.strictObject({ name: plainText(1, 100) });

/** Query parameters of the list of backups. */
export const backupListQuery = z.strictObject(pageParameters);

/** The body of a request for a backup. */
export const backupRequest = z.strictObject({ kind: z.enum(['full', 'incremental']).default('full') });

export type BackupSummary = z.infer<typeof backupSummaryShape>;
export type Backup = z.infer<typeof backupShape>;
export type BackupKind = BackupSummary['kind'];
export type BackupListQuery = z.infer<typeof backupListQuery>;
