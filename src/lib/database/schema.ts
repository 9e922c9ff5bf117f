import type { ColumnType, Generated, JSONColumnType, Selectable, UpdateObject } from 'kysely';

/** Read as a Date, written as ISO text. */
type Timestamp = ColumnType<Date, string, string>;
type GeneratedTimestamp = ColumnType<Date, string | undefined, string>;
type NullableTimestamp = ColumnType<Date | null, string | null | undefined, string | null>;

/** The tables, as the migrations leave them. */
export interface Schema {
  api_keys: ApiKeysTable;
  audit_actors: AuditActorsTable;
  audit_log: AuditLogTable;
  audit_seals: AuditSealsTable;
  content_snapshot: ContentSnapshotTable;
  erasures: ErasuresTable;
  files: FilesTable;
  idempotency_keys: IdempotencyKeysTable;
  image_jobs: ImageJobsTable;
  jobs: JobsTable;
  project_members: ProjectMembersTable;
  projects: ProjectsTable;
  scan_history: ScanHistoryTable;
}

/** A row of a table as it is read. */
export type Row<Table extends keyof Schema> = Selectable<Schema[Table]>;

/** New values, or expressions for them, of columns of a table. */
export type Change<Table extends keyof Schema> = UpdateObject<Schema, Table>;

interface ProjectsTable {
  id: string;
  name: string;
  created_at: GeneratedTimestamp;
}

interface ProjectMembersTable {
  project_id: string;
  user_id: string;
  created_at: GeneratedTimestamp;
}

interface ApiKeysTable {
  id: string;
  name: string;
  /** HMAC of the secret; the secret itself is nowhere. */
  hash: Buffer;
  scopes: string[];
  created_at: GeneratedTimestamp;
  expires_at: NullableTimestamp;
  revoked_at: NullableTimestamp;
  /** Caller that made it; null for one from an older version, and when that caller's data has been erased. */
  created_by: string | null;
  /** To the minute. */
  last_used_at: NullableTimestamp;
}

/** Whose data is to be erased, until that is done. */
interface ErasuresTable {
  id: string;
  job_id: string;
  user_id: string;
  /** When it was asked for. */
  created_at: Timestamp;
}

/** Who is behind a pseudonym; removed when that one is to be forgotten. */
interface AuditActorsTable {
  /** A hash of salt and user. */
  pseudonym: string;
  user_id: string;
  salt: Buffer;
}

interface AuditLogTable {
  id: Generated<number>;
  at: GeneratedTimestamp;
  /** Pseudonym. */
  actor: string;
  action: string;
  object_type: string;
  object_id: string;
  /** Pseudonym of whose data it is about, where that is not who acted. */
  subject: string | null;
  result: 'done' | 'refused';
  correlation_id: string;
  /** Encrypted. */
  client_address: Buffer | null;
  before: AuditFacts;
  after: AuditFacts;
  /** Null when address and facts have been erased. */
  salt: Buffer | null;
  /** Of salt, address and facts as they were written. */
  personal_digest: Buffer;
  /** Null until a batch has taken the row in. */
  seal: number | null;
}

type AuditFacts = ColumnType<Record<string, unknown> | null, string | null, null>;

interface AuditSealsTable {
  id: number;
  sealed_at: Timestamp;
  /** Hash of the seal before; null for the first. */
  previous: Buffer | null;
  /** Id and hash of each row, one after the other. */
  rows: Buffer;
  hash: Buffer;
  /** When it was written where the database does not reach. */
  archived_at: NullableTimestamp;
}

export type FileStatus = 'pending' | 'available' | 'quarantined' | 'deleted';

interface FilesTable {
  id: string;
  name: string;
  content_type: string;
  size: number;
  sha256: string;
  status: FileStatus;
  metadata: JSONColumnType<Record<string, string>, string, string>;
  project_id: string | null;
  owner_id: string;
  container: string;
  blob_name: string;
  /** Changes with every change of the row; the `etag` of the API. */
  version: Generated<string>;
  created_at: Timestamp;
  /** When the file passed the gate. */
  uploaded_at: NullableTimestamp;
  deleted_at: NullableTimestamp;
  /** When the bytes of a deleted file had left the container of live files. */
  trashed_at: NullableTimestamp;
}

/** `poison`: given up after all attempts, not for what the job itself said. */
export type JobStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'poison';

interface IdempotencyKeysTable {
  caller: string;
  /** Method and template, for example `POST /api/v1/uploads`. */
  route: string;
  key: string;
  /** SHA-256 of what was asked for. */
  fingerprint: Buffer;
  /** Tells the attempt that holds the key from those before it. */
  claim: string;
  /** Until then the key belongs to that attempt, unless it has an answer. */
  claimed_until: Timestamp;
  /** What the effect will be called, where it lies outside of the database. */
  reserved: string | null;
  answer_status: number | null;
  answer_headers: JSONColumnType<Record<string, string> | null, string | null, string | null>;
  /** Null also for an answer that held a secret. */
  answer_body: ColumnType<unknown, string | null, string | null>;
  created_at: GeneratedTimestamp;
  /** From then on the key is as good as new. */
  expires_at: Timestamp;
}

interface JobsTable {
  id: string;
  kind: string;
  /** What the job works on, for example the name of a backup. */
  subject: string;
  status: JobStatus;
  /** Claims on it, also those that a retry was made of: it only grows, so that it tells one claim from all others. */
  attempts: Generated<number>;
  /** With so many it is given up. */
  max_attempts: Generated<number>;
  /** When a worker was called for it last. */
  queued_at: GeneratedTimestamp;
  started_at: NullableTimestamp;
  /** Until then the job belongs to the worker that claimed it last. */
  claimed_until: NullableTimestamp;
  /** Of the last attempt that failed, also while there will be another. */
  error_code: string | null;
  error_message: string | null;
  /** For operators only. */
  error_detail: string | null;
  created_at: GeneratedTimestamp;
  finished_at: NullableTimestamp;
}

/** Where a photo lies, and a link to it that may have expired. Rows from AWS may know only some of it. */
interface PlacedInBlob {
  blob_url: string | null;
  blob_container: string | null;
  blob_name: string | null;
  blob_sas_url: string | null;
}

interface ScanHistoryTable extends PlacedInBlob {
  id: Generated<number>;
  /** What clients call the scan. */
  scan_id: string | null;
  owner_id: string | null;
  scan_timestamp: NullableTimestamp;
  scan_type: string | null;
  product_name: string | null;
  brand: string | null;
  barcode: string | null;
  barcode_format: string | null;
  confidence_score: number | null;
  verdict: string | null;
  risk_level: string | null;
  recalls_found: Generated<number | null>;
  recall_ids: JSONColumnType<string[] | null, string | null, string | null>;
}

/** What was shared, as it was then. */
interface ContentSnapshotTable extends PlacedInBlob {
  id: Generated<number>;
  owner_id: string | null;
  /** What kind of thing `content_id` names. */
  content_type: string | null;
  content_id: string | null;
  content: JSONColumnType<Record<string, unknown> | null, string | null, string | null>;
  size: number | null;
  created_at: NullableTimestamp;
}

type ImageJobStatus = 'QUEUED' | 'PROCESSING' | 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'TIMEOUT';

interface ImageJobsTable extends PlacedInBlob {
  id: string;
  owner_id: string | null;
  /** SHA-256 of the photo, hex. */
  file_hash: string | null;
  file_size: number | null;
  file_type: string | null;
  status: Generated<ImageJobStatus | null>;
  attempts: Generated<number>;
  next_attempt_at: GeneratedTimestamp;
  created_at: NullableTimestamp;
  started_at: NullableTimestamp;
  completed_at: NullableTimestamp;
  error_message: string | null;
  confidence_score: Generated<number | null>;
}
