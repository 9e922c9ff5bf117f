-- The tables of Crown Safe as a database that comes from AWS brings them: made by another tool, with other types, names
-- that this service does not know, a table that refers to one of them, and no table content_snapshot with a size.
create table users (id serial primary key, email varchar(255) not null);

create table scan_history (
  id serial primary key,
  user_id integer not null references users (id),
  scan_id varchar(100),
  scan_timestamp timestamp,
  product_name varchar(255),
  brand varchar(255),
  barcode varchar(100) not null,
  model_number varchar(100),
  scan_type varchar(50),
  confidence_score double precision,
  verdict varchar(100),
  risk_level varchar(50),
  recalls_found integer,
  recall_ids json,
  age_warnings json,
  s3_url varchar(500)
);
create unique index ix_scan_history_scan_id on scan_history (scan_id);
create index ix_scan_history_user_id on scan_history (user_id);

create table content_snapshot (
  id serial primary key,
  user_id integer not null references users (id),
  content_type varchar(50) not null,
  content_id varchar(100) not null,
  content json,
  created_at timestamp,
  s3_bucket varchar(255),
  s3_key varchar(500),
  s3_presigned_url text
);

create type jobstatus as enum ('QUEUED', 'PROCESSING', 'COMPLETED', 'FAILED', 'CANCELLED');
create table image_jobs (
  id varchar(36) primary key,
  user_id integer not null,
  s3_bucket varchar(255),
  s3_key varchar(500),
  s3_presigned_url text,
  file_hash varchar(64) unique,
  file_size integer,
  file_type varchar(50),
  status jobstatus,
  created_at timestamp,
  started_at timestamp,
  completed_at timestamp,
  error_message text,
  virus_scanned boolean,
  ocr_completed boolean,
  confidence_score double precision
);
create table image_extractions (id serial primary key, job_id varchar(36) not null references image_jobs (id));
