import type pg from 'pg';

/** Rows that one caller has, in each table. */
const rowsPerOwner = 200;

const owner = `'user-' || n % greatest($1::int / ${rowsPerOwner}, 1)`;
/** Spread over ten days, however many rows there are. */
const moment = `timestamptz '2026-01-01 00:00Z' + n * (interval '10 days' / $1::int)`;
const rows = 'generate_series(1, $1::int) as n';

const statements = [
  `insert into projects (id, name)
   select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'Project ' || n from generate_series(0, 999) as n`,
  `insert into project_members (project_id, user_id)
   select ('00000000-0000-4000-8000-' || lpad((n % 1000)::text, 12, '0'))::uuid, 'user-' || n / 10 from ${rows}`,
  `insert into files (id, name, content_type, size, sha256, status, owner_id, project_id, container, blob_name, created_at, uploaded_at, deleted_at)
   select gen_random_uuid(), 'photo ' || n || '.jpg', 'image/jpeg', n, repeat('ab', 32),
          case n % 1000 when 1 then 'pending' when 2 then 'deleted' else 'available' end, ${owner},
          case when n % 3 = 0 then ('00000000-0000-4000-8000-' || lpad((n % 1000)::text, 12, '0'))::uuid end,
          'crownsafe-images', md5(n::text), ${moment}, case when n % 1000 <> 1 then ${moment} end,
          case when n % 1000 = 2 then ${moment} end
   from ${rows}`,
  `insert into jobs (id, kind, subject, status, attempts, created_at, finished_at)
   select gen_random_uuid(), 'backup', 'backup ' || n, case when n % 100 = 0 then 'poison' else 'succeeded' end, 1, ${moment}, ${moment}
   from ${rows}`,
  `insert into audit_log (at, actor, action, object_type, object_id, subject, result, correlation_id, salt, personal_digest, seal)
   select ${moment}, ('00000000-0000-4000-8000-' || lpad((n % 1000)::text, 12, '0'))::uuid,
          case when n % 1000 = 0 then 'backup.download' else 'file.upload' end, 'file', n::text,
          case when n % 10 = 0 then ('00000000-0000-4000-8000-' || lpad((n % 1000)::text, 12, '0'))::uuid end,
          'done', 'request-' || n, decode(md5(n::text), 'hex'), sha256(n::text::bytea),
          case when n < $1::int - 100 then 1 + n / 1000 end
   from ${rows}`,
  `insert into audit_seals (id, sealed_at, rows, hash, archived_at)
   select n, ${moment}, sha256(n::text::bytea), sha256(n::text::bytea), case when n % 1000 > 0 then ${moment} end
   from ${rows}`,
  `insert into credential_failures (subject, failed_at, blocked_until, expires_at)
   select sha256(n::text::bytea), '{}', case when n % 1000 = 0 then ${moment} + interval '15 minutes' end, ${moment} + interval '15 minutes'
   from ${rows}`,
  `insert into idempotency_keys (caller, route, key, fingerprint, claim, claimed_until, created_at, expires_at,
     answer_status, answer_headers, answer_body)
   select ${owner}, 'POST /api/v1/uploads', 'key-' || n, sha256(n::text::bytea), gen_random_uuid(), ${moment}, ${moment},
          ${moment} + interval '1 day', 201, '{}', '{}'
   from ${rows}`,
  `insert into scan_history (scan_id, owner_id, scan_timestamp, product_name, barcode, verdict, recalls_found, blob_container, blob_name)
   select 'scan-' || n, ${owner}, ${moment}, 'Rattle ' || n, lpad(n::text, 13, '4'), 'No Recalls Found', 0,
          'crownsafe-images', md5(n::text)
   from ${rows}`,
  `insert into content_snapshot (owner_id, content_type, content_id, content, size, created_at, blob_container, blob_name)
   select ${owner}, 'scan_result', 'content-' || n / 5, '{"risk": "low"}', 15, ${moment}, 'crownsafe-reports', md5(n::text)
   from ${rows}`,
  `insert into image_jobs (id, owner_id, file_hash, file_size, status, next_attempt_at, created_at, blob_container, blob_name)
   select md5(n::text)::uuid::text, ${owner}, md5(n::text) || md5(n::text), n,
          case when n % 100 = 0 then 'QUEUED' else 'COMPLETED' end, ${moment}, ${moment}, 'crownsafe-images', md5(n::text)
   from ${rows}`,
];

/** Fills every table that has an index with so many rows, and lets PostgreSQL see what they are like. */
export async function fillTables(sql: pg.Client, count: number): Promise<void> {
  for (const statement of statements) await sql.query(statement, statement.includes('$1') ? [count] : []);
  await sql.query('vacuum analyze');
}
