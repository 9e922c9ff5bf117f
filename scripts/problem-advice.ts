import type { ProblemCode } from '../src/lib/core/index.ts';

/**
 * What a client is to do after a problem: `later` when the same request may pass by itself after a while, `changed` when it will
 * not before the client has changed it, or what it is about.
 */
type Again = 'later' | 'changed';

/** What docs/errors.md advises on each problem, in one sentence. */
export const advice: Readonly<Record<ProblemCode, readonly [again: Again, sentence: string]>> = {
  malformed_body: ['changed', 'Send the body whole, and in the form its content type names.'],
  malformed_request: ['changed', 'Correct the header that `detail` names.'],
  malformed_digest: ['changed', 'Write the digest as the header or field defines it.'],
  empty_file: ['changed', 'Send a file that holds at least one byte.'],
  unauthorized: ['changed', 'Send a credential that is known, not expired and not revoked.'],
  forbidden: ['changed', 'Use a credential that has the scope `detail` names.'],
  not_found: ['changed', 'Check the address; what belongs to others is not found either.'],
  request_timeout: ['later', 'Send the request again over a better connection, or in smaller parts.'],
  already_done: ['changed', 'Read what it made, which `detail` names; its secrets are not told twice.'],
  conflict: ['changed', 'Read the present state, then decide anew.'],
  alerts_not_configured: ['changed', 'Give the app one of the settings that `detail` names, then try again.'],
  own_api_key: ['changed', 'Call with another credential that has the scope `admin`.'],
  job_not_retriable: [
    'changed',
    'Look at the job: only one that has failed or was given up can be tried again.',
  ],
  backup_not_ready: ['later', 'Ask for the backup until its `status` is `stored`.'],
  backup_running: ['later', 'Wait until the backup under way has ended.'],
  file_not_available: [
    'later',
    'Ask for the file until its `status` is `available`; a quarantined one stays as it is.',
  ],
  idempotency_key_in_use: ['later', 'Wait, then send the same request with the same key again.'],
  file_too_large: ['changed', 'Send a smaller file, or take the way that `detail` names.'],
  body_too_large: ['changed', 'Send less at once.'],
  unsupported_file_type: [
    'changed',
    'Send one of the accepted types, under a name and a type that its bytes bear out.',
  ],
  unsupported_media_type: ['changed', 'Send the content type that `detail` names.'],
  range_not_satisfiable: ['changed', 'Ask for bytes below the length in `content-range`.'],
  validation_failed: ['changed', 'Correct the fields listed in `errors`; without them, what `detail` says.'],
  digest_mismatch: ['changed', 'Compute the digest of what is sent, and send both again.'],
  file_part_required: ['changed', 'Send a form with one part named `file`.'],
  idempotency_key_reused: ['changed', 'Send a new key with a new request.'],
  kind_not_supported: ['changed', 'Ask for a kind that this version has.'],
  name_required: ['changed', 'Name the file in `x-file-name`, percent-encoded.'],
  one_file_only: ['changed', 'Send each file in a request of its own.'],
  report_too_large: ['changed', 'Ask for a shorter range of time.'],
  use_cursor: ['changed', 'Go on with `cursor`, from `next_cursor`.'],
  rate_limited: [
    'later',
    'Wait for `retry-after` seconds, and send fewer requests: `ratelimit` says how many.',
  ],
  too_many_failures: [
    'later',
    'Wait for `retry-after` seconds; meanwhile no credential is looked at. Correct the credential first. An operator ends it sooner: `crownsafe keys unblock`, on your own machine `npm run crownsafe -- keys unblock`.',
  ],
  internal: ['later', 'Report it with its `correlation_id`; trying again may help, once.'],
  database: ['later', 'Report it with its `correlation_id`; trying again may help, once.'],
  upstream: ['later', 'Try again after a while; report it with its `correlation_id` if it stays.'],
  report_busy: ['later', 'Try again after `retry-after` seconds.'],
  unavailable: [
    'later',
    'Try again after `retry-after` seconds; of a change, look first whether it was made.',
  ],
  deadline_exceeded: ['later', 'Look whether a change was made, then try again with more time or less work.'],
};
