/**
 * Every problem a client can meet: its stable code, its HTTP status and its title (RFC 9457). One table, so that the edge,
 * docs/errors.md and the tests agree; what clients are advised to do stands in scripts/problem-advice.ts, because the app
 * never says it. After a change, `npm run problems` writes the document.
 */
export const problems = {
  malformed_body: [400, 'The body could not be read'],
  malformed_request: [400, 'The request could not be read'],
  malformed_digest: [400, 'The digest could not be read'],
  empty_file: [400, 'The file is empty'],
  unauthorized: [401, 'A valid credential is required'],
  forbidden: [403, 'The credential does not allow this'],
  not_found: [404, 'Not found'],
  request_timeout: [408, 'The request did not arrive in time'],
  already_done: [409, 'The request has been carried out before'],
  conflict: [409, 'The request conflicts with the present state'],
  alerts_not_configured: [409, 'There is no channel for alerts'],
  own_api_key: [409, 'The API key is the one in use'],
  job_not_retriable: [409, 'The job cannot be tried again'],
  backup_not_ready: [409, 'The backup is not ready'],
  backup_running: [409, 'A backup is already queued or running'],
  file_not_available: [409, 'The file is not available'],
  idempotency_key_in_use: [409, 'A request with this idempotency key is under way'],
  file_too_large: [413, 'The file is too large'],
  body_too_large: [413, 'The body is too large'],
  unsupported_file_type: [415, 'This type of file is not accepted'],
  unsupported_media_type: [415, 'This type of body is not accepted'],
  range_not_satisfiable: [416, 'The range lies outside the content'],
  validation_failed: [422, 'The request is not valid'],
  digest_mismatch: [422, 'The content differs from its digest'],
  file_part_required: [422, 'A file part is required'],
  idempotency_key_reused: [422, 'The idempotency key belongs to another request'],
  kind_not_supported: [422, 'This kind of backup is not supported'],
  name_required: [422, 'A file name is required'],
  one_file_only: [422, 'Exactly one file is expected'],
  report_too_large: [422, 'The report is too large to be answered at once'],
  use_cursor: [422, 'The list is too long for page numbers'],
  rate_limited: [429, 'Too many requests'],
  too_many_failures: [429, 'Too many credentials have failed'],
  internal: [500, 'Something went wrong here'],
  database: [500, 'The database refused the operation'],
  upstream: [502, 'A service we depend on failed'],
  report_busy: [503, 'Reports are busy'],
  unavailable: [503, 'A service we depend on is unavailable'],
  deadline_exceeded: [504, 'The request took too long'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

/** A stable word that names a problem; clients branch on it. */
export type ProblemCode = keyof typeof problems;
