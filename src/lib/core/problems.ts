/**
 * What a client is to do after a problem: `later` when the same request may pass by itself after a while, `changed` when it
 * will not before the client has changed it, or what it is about.
 */
type Again = 'later' | 'changed';

/** HTTP status, title (RFC 9457), whether the same request may be sent again, and what a client should do. */
type ProblemRow = readonly [status: number, title: string, again: Again, advice: string];

/**
 * Every problem a client can meet, by its stable code. One table, so that the edge, docs/errors.md and the tests agree;
 * a new problem is one row here and one use, then `npm run problems` writes the document.
 */
export const problems = {
  malformed_body: [
    400,
    'The body could not be read',
    'changed',
    'Send the body whole, and in the form its content type names.',
  ],
  malformed_request: [
    400,
    'The request could not be read',
    'changed',
    'Correct the header that `detail` names.',
  ],
  malformed_digest: [
    400,
    'The digest could not be read',
    'changed',
    'Write the digest as the header or field defines it.',
  ],
  empty_file: [400, 'The file is empty', 'changed', 'Send a file that holds at least one byte.'],
  unauthorized: [
    401,
    'A valid credential is required',
    'changed',
    'Send a credential that is known, not expired and not revoked.',
  ],
  forbidden: [
    403,
    'The credential does not allow this',
    'changed',
    'Use a credential that has the scope `detail` names.',
  ],
  not_found: [404, 'Not found', 'changed', 'Check the address; what belongs to others is not found either.'],
  already_done: [
    409,
    'The request has been carried out before',
    'changed',
    'Read what it made, which `detail` names; its secrets are not told twice.',
  ],
  conflict: [
    409,
    'The request conflicts with the present state',
    'changed',
    'Read the present state, then decide anew.',
  ],
  alerts_not_configured: [
    409,
    'There is no channel for alerts',
    'changed',
    'Give the app one of the settings that `detail` names, then try again.',
  ],
  job_not_retriable: [
    409,
    'The job cannot be tried again',
    'changed',
    'Look at the job: only one that has failed or was given up can be tried again.',
  ],
  backup_not_ready: [
    409,
    'The backup is not ready',
    'later',
    'Ask for the backup until its `status` is `stored`.',
  ],
  backup_running: [
    409,
    'A backup is already queued or running',
    'later',
    'Wait until the backup under way has ended.',
  ],
  file_not_available: [
    409,
    'The file is not available',
    'later',
    'Ask for the file until its `status` is `available`; a quarantined one stays as it is.',
  ],
  idempotency_key_in_use: [
    409,
    'A request with this idempotency key is under way',
    'later',
    'Wait, then send the same request with the same key again.',
  ],
  file_too_large: [
    413,
    'The file is too large',
    'changed',
    'Send a smaller file, or take the way that `detail` names.',
  ],
  body_too_large: [413, 'The body is too large', 'changed', 'Send less at once.'],
  unsupported_file_type: [
    415,
    'This type of file is not accepted',
    'changed',
    'Send one of the accepted types, under a name and a type that its bytes bear out.',
  ],
  unsupported_media_type: [
    415,
    'This type of body is not accepted',
    'changed',
    'Send the content type that `detail` names.',
  ],
  range_not_satisfiable: [
    416,
    'The range lies outside the content',
    'changed',
    'Ask for bytes below the length in `content-range`.',
  ],
  validation_failed: [422, 'The request is not valid', 'changed', 'Correct the fields listed in `errors`.'],
  digest_mismatch: [
    422,
    'The content differs from its digest',
    'changed',
    'Compute the digest of what is sent, and send both again.',
  ],
  file_part_required: [422, 'A file part is required', 'changed', 'Send a form with one part named `file`.'],
  idempotency_key_reused: [
    422,
    'The idempotency key belongs to another request',
    'changed',
    'Send a new key with a new request.',
  ],
  kind_not_supported: [
    422,
    'This kind of backup is not supported',
    'changed',
    'Ask for a kind that this version has.',
  ],
  name_required: [
    422,
    'A file name is required',
    'changed',
    'Name the file in `x-file-name`, percent-encoded.',
  ],
  one_file_only: [422, 'Exactly one file is expected', 'changed', 'Send each file in a request of its own.'],
  report_too_large: [
    422,
    'The report is too large to be answered at once',
    'changed',
    'Ask for a shorter range of time.',
  ],
  use_cursor: [
    422,
    'The list is too long for page numbers',
    'changed',
    'Go on with `cursor`, from `next_cursor`.',
  ],
  internal: [
    500,
    'Something went wrong here',
    'later',
    'Report it with its `correlation_id`; trying again may help, once.',
  ],
  database: [
    500,
    'The database refused the operation',
    'later',
    'Report it with its `correlation_id`; trying again may help, once.',
  ],
  upstream: [
    502,
    'A service we depend on failed',
    'later',
    'Try again after a while; report it with its `correlation_id` if it stays.',
  ],
  report_busy: [503, 'Reports are busy', 'later', 'Try again after `retry-after` seconds.'],
  unavailable: [
    503,
    'A service we depend on is unavailable',
    'later',
    'Try again after `retry-after` seconds; of a change, look first whether it was made.',
  ],
  deadline_exceeded: [
    504,
    'The request took too long',
    'later',
    'Look whether a change was made, then try again with more time or less work.',
  ],
} as const satisfies Record<string, ProblemRow>;

/** A stable word that names a problem; clients branch on it. */
export type ProblemCode = keyof typeof problems;
