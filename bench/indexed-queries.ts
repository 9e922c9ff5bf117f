/** A query that an index is there for. */
export interface IndexedQuery {
  readonly index: string;
  /** What is asked, in a few words. */
  readonly asks: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

const caller = 'user-7';
const project = '00000000-0000-4000-8000-000000000007';
/** In the middle of the ten days that the rows of the measurement are from. */
const moment = '2026-01-06T00:00:00Z';
const hourLater = '2026-01-06T01:00:00Z';
const later = '2099-01-01T00:00:00Z';

/** Every index but those of keys, each with the query that needs it most, as the rooms of src ask it. */
export const indexedQueries: readonly IndexedQuery[] = [
  {
    index: 'files_by_owner',
    asks: 'the newest files of a caller, second page',
    text: `select * from files where owner_id = $1 and status <> 'deleted' and (created_at, id) < ($2::timestamptz, $3::uuid)
      order by created_at desc, id desc limit 51`,
    values: [caller, moment, project],
  },
  {
    index: 'files_by_project',
    asks: 'the newest files of a project',
    text: `select * from files where (owner_id = $1 or project_id in ($2)) and status <> 'deleted' and project_id = $2
      order by created_at desc, id desc limit 51`,
    values: [caller, project],
  },
  {
    index: 'files_by_creation',
    asks: 'the newest files of all, for an admin',
    text: `select * from files where status <> 'deleted' order by created_at desc, id desc limit 51`,
    values: [],
  },
  {
    index: 'files_pending',
    asks: 'uploads that broke off',
    text: `select id, blob_name from files where status = 'pending' and created_at < $1::timestamptz order by created_at limit 100`,
    values: [later],
  },
  {
    index: 'files_to_trash',
    asks: 'deletions that broke off',
    text: `select id, blob_name from files where status = 'deleted' and trashed_at is null and deleted_at < $1::timestamptz
      order by deleted_at limit 100`,
    values: [later],
  },
  {
    index: 'files_by_upload',
    asks: 'the report of an hour of uploads',
    text: `select uploaded_at, id, name, content_type, size, sha256, owner_id, project_id, status from files
      where status in ('available', 'quarantined') and uploaded_at >= $1 and uploaded_at < $2 order by uploaded_at, id`,
    values: [moment, hourLater],
  },
  {
    index: 'audit_log_by_time',
    asks: 'the newest rows of the audit trail, second page',
    text: `select * from audit_log where (at, id) < ($1::timestamptz, $2::bigint) order by at desc, id desc limit 51`,
    values: [moment, 1],
  },
  {
    index: 'audit_log_by_actor',
    asks: 'what somebody did',
    text: 'select * from audit_log where actor = $1 order by at desc, id desc limit 51',
    values: [project],
  },
  {
    index: 'audit_log_by_action',
    asks: 'who did something rare',
    text: 'select * from audit_log where action = $1 order by at desc, id desc limit 51',
    values: ['backup.download'],
  },
  {
    index: 'audit_log_by_object',
    asks: 'what was done to an object',
    text: 'select * from audit_log where object_type = $1 and object_id = $2 order by at desc, id desc limit 51',
    values: ['file', '7777'],
  },
  {
    index: 'audit_log_by_correlation',
    asks: 'what a request did',
    text: 'select * from audit_log where correlation_id = $1 order by at desc, id desc limit 51',
    values: ['request-7777'],
  },
  {
    index: 'audit_log_by_seal',
    asks: 'rows without a seal',
    text: 'select * from audit_log where seal is null order by id limit 1000',
    values: [],
  },
  {
    index: 'audit_log_by_subject',
    asks: 'rows of somebody who is erased',
    text: 'select id from audit_log where (actor = $1 or subject = $1) and salt is not null for update',
    values: [project],
  },
  {
    index: 'audit_seals_to_archive',
    asks: 'seals that are not archived',
    text: 'select * from audit_seals where archived_at is null order by id limit 20',
    values: [],
  },
  {
    index: 'credential_failures_by_expiry',
    asks: 'counts that mean nothing any more',
    text: 'select subject from credential_failures where expires_at <= $1::timestamptz order by expires_at limit 1000 for update skip locked',
    values: ['2026-01-01T01:00:00Z'],
  },
  {
    index: 'credential_failures_by_block',
    asks: 'who is held back now',
    text: 'select subject, blocked_until from credential_failures where blocked_until > $1::timestamptz order by blocked_until desc limit 10000',
    values: [moment],
  },
  {
    index: 'jobs_by_creation',
    asks: 'the newest jobs, second page',
    text: `select * from jobs where (created_at, id) < ($1::timestamptz, $2::uuid) order by created_at desc, id desc limit 51`,
    values: [moment, project],
  },
  {
    index: 'jobs_by_status',
    asks: 'the newest jobs that were given up, second page',
    text: `select * from jobs where status = $1 and (created_at, id) < ($2::timestamptz, $3::uuid)
      order by created_at desc, id desc limit 51`,
    values: ['poison', moment, project],
  },
  {
    index: 'jobs_by_end',
    asks: 'jobs that ended long ago',
    text: `select id from jobs where finished_at < $1::timestamptz
      and (status <> 'poison' or finished_at < $1::timestamptz - interval '60 days')
      order by finished_at limit 1000 for update skip locked`,
    values: ['2026-01-01T01:00:00Z'],
  },
  {
    index: 'idempotency_keys_by_expiry',
    asks: 'idempotency keys that are over',
    text: `select caller, route, key from idempotency_keys where expires_at <= $1 order by expires_at limit 1000
      for update skip locked`,
    values: [hourLater],
  },
  {
    index: 'project_members_by_user',
    asks: 'the projects of a caller',
    text: 'select project_id from project_members where user_id = $1',
    values: [caller],
  },
  {
    index: 'scan_history_by_scan_id',
    asks: 'one scan',
    text: 'select * from scan_history where scan_id = $1',
    values: ['scan-7777'],
  },
  {
    index: 'scan_history_by_owner',
    asks: 'the newest scans of a caller, second page',
    text: `select * from scan_history where owner_id = $1 and (scan_timestamp, id) < ($2::timestamptz, $3::bigint)
      order by scan_timestamp desc, id desc limit 51`,
    values: [caller, moment, 1],
  },
  {
    index: 'scan_history_by_time',
    asks: 'the report of an hour of scans',
    text: `select * from scan_history where scan_timestamp >= $1 and scan_timestamp < $2 order by scan_timestamp, id`,
    values: [moment, hourLater],
  },
  {
    index: 'content_snapshot_by_content',
    asks: 'the newest snapshot of a content',
    text: `select * from content_snapshot where content_id = $1 order by created_at desc, id desc limit 1`,
    values: ['content-77'],
  },
  {
    index: 'image_jobs_queued',
    asks: 'the jobs that are due, oldest first',
    text: `select id from image_jobs where status = 'QUEUED' and next_attempt_at <= $1::timestamptz
      order by next_attempt_at, id limit 10 for update skip locked`,
    values: [later],
  },
];
