import { readFile } from 'node:fs/promises';
import pg from 'pg';

/** The tables that come from there. */
export const tablesOnAws = ['scan_history', 'content_snapshot', 'image_jobs'];

/** The columns that say where a photo is: those of the version on AWS, and those of this one in the same order. */
export const s3Side = ['s3_url', 's3_bucket', 's3_key', 's3_presigned_url'];
export const blobSide = ['blob_url', 'blob_container', 'blob_name', 'blob_sas_url'];

/** A connection that may be killed. */
export async function connectBeside(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** How the photos of these tables move to Azure. */
export const moveFromAws = {
  bucket: 'crown.safe.images',
  s3Url: 'https://crown.safe.images.s3.eu-north-1.amazonaws.com/',
  container: 'crownsafe-images',
  blobUrl: 'https://account.blob.core.windows.net/crownsafe-images/',
};

/**
 * Makes the tables of Crown Safe as they were on AWS, each with so many rows. Every tenth row has no photo, every third
 * no link.
 */
export async function createTablesOnAws(sql: pg.Client, rows: number): Promise<void> {
  await sql.query(await readFile(new URL('on-aws.sql', import.meta.url), 'utf8'));
  await sql.query(
    `insert into users (email) select 'user' || n || '@example.com' from generate_series(1, 50) as n`,
  );
  await sql.query(
    `insert into scan_history (user_id, scan_id, scan_timestamp, product_name, barcode, verdict, recalls_found, recall_ids, s3_url)
     select 1 + n % 50, 'scan-' || n, timestamp '2025-01-01' + n * interval '1 minute', 'Rattle ' || n, '40' || n,
            'No Recalls Found', n % 3, '["R1"]',
            case when n % 10 > 0 then '${moveFromAws.s3Url}scans/a%20' || n || '.jpg' end
     from generate_series(1, $1::int) as n`,
    [rows],
  );
  const place = `
    case when n % 10 > 0 then '${moveFromAws.bucket}' end, case when n % 10 > 0 then 'uploads/' || n || '.jpg' end,
    case when n % 10 > 0 and n % 3 > 0 then '${moveFromAws.s3Url}uploads/' || n || '.jpg?X-Amz-Signature=' || n end`;
  await sql.query(
    `insert into content_snapshot (user_id, content_type, content_id, content, created_at, s3_bucket, s3_key, s3_presigned_url)
     select 1 + n % 50, 'report', 'report-' || n, '{"risk": "low"}', timestamp '2025-02-01' + n * interval '1 minute', ${place}
     from generate_series(1, $1::int) as n`,
    [rows],
  );
  await sql.query(
    `insert into image_jobs (id, user_id, file_hash, file_size, status, created_at, virus_scanned, s3_bucket, s3_key, s3_presigned_url)
     select md5(n::text)::uuid::text, 1 + n % 50, encode(sha256(n::text::bytea), 'hex'), n * 1000,
            case when n % 100 = 0 then 'QUEUED' else 'COMPLETED' end::jobstatus,
            timestamp '2025-03-01' + n * interval '1 minute', true, ${place}
     from generate_series(1, $1::int) as n`,
    [rows],
  );
}
