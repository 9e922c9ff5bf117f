import { createHash } from 'node:crypto';
import { AppError } from '../core/index.ts';
import { invalid, isPlain } from '../http/index.ts';
import { agrees, type FileType, looksLike, typeByExtension } from './file-types.ts';

/**
 * A file as it arrived, before anything of it is believed. What a client claims of it may be unreadable; it is read, and
 * refused, only when its turn comes.
 */
export interface Candidate {
  /** @throws AppError `name_required`, `validation_failed` */
  readonly name: () => string;
  readonly declaredType: string | undefined;
  readonly bytes: Buffer;
  /** There was more than `bytes` hold. */
  readonly tooLarge: boolean;
  /** @throws AppError `malformed_digest` */
  readonly digest: () => Digest | undefined;
}

/** What the client says the content hashes to. */
export interface Digest {
  readonly algorithm: 'sha256' | 'md5';
  readonly value: Buffer;
}

/** A file that passed. */
export interface Accepted {
  readonly name: string;
  readonly extension: string;
  readonly contentType: string;
  readonly bytes: Buffer;
  readonly sha256: string;
}

export interface GateRules {
  readonly maxBytes: number;
  /** Extensions that are accepted, a part of those known. */
  readonly extensions: readonly string[];
}

/**
 * The one gate every uploaded file passes. It checks in a fixed order and the first failure wins: empty, name and
 * extension, declared type, first bytes, size, digest. (Credential, scope and declared size come before, at the edge.)
 *
 * @throws AppError `empty_file`, `name_required`, `validation_failed`, `unsupported_file_type`, `file_too_large`,
 *   `malformed_digest`, `digest_mismatch`
 */
export function admit(candidate: Candidate, rules: GateRules): Accepted {
  const { bytes } = candidate;
  if (bytes.length === 0) throw new AppError('empty_file', 'The file has no content');
  const name = candidate.name();
  refuseBadName(name);
  const extension = extensionOf(name);
  const type = acceptedType(extension, rules);
  if (!agrees(type, candidate.declaredType)) {
    throw unsupported(`The declared type is not that of .${extension} files`);
  }
  if (!looksLike(type, bytes)) throw unsupported(`The content is not that of a .${extension} file`);
  if (candidate.tooLarge || bytes.length > rules.maxBytes) throw tooLarge(rules.maxBytes);
  const sha256 = createHash('sha256').update(bytes).digest();
  refuseWrongDigest(candidate, sha256);
  return { name, extension, contentType: type.contentType, bytes, sha256: sha256.toString('hex') };
}

/** The refusal of a file beyond the limit; its words name the way that has a higher one. */
export function tooLarge(maxBytes: number): AppError {
  return new AppError(
    'file_too_large',
    `The limit is ${maxBytes} bytes; larger files go straight to storage by POST /api/v1/uploads/direct`,
  );
}

/** A name is shown, listed and sent in headers: no control characters, no path. */
function refuseBadName(name: string): void {
  const message = nameProblem(name);
  if (message !== undefined) throw invalid([{ path: 'name', message, code: 'invalid_name' }]);
}

function nameProblem(name: string): string | undefined {
  if (name.trim() === '') return 'is required';
  if ([...name].length > 255) return 'is longer than 255 characters';
  if (!isPlain(name)) return 'holds control characters';
  if (/[/\\]/.test(name)) return 'is a path; send the bare name';
  if (name === '.' || name === '..') return 'is a path; send the bare name';
  return undefined;
}

function extensionOf(name: string): string {
  return /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
}

function acceptedType(extension: string, rules: GateRules): FileType {
  const type = rules.extensions.includes(extension) ? typeByExtension(extension) : undefined;
  if (!type) throw unsupported(`Accepted are ${rules.extensions.join(', ')}`);
  return type;
}

function refuseWrongDigest({ digest: announced, bytes }: Candidate, sha256: Buffer): void {
  const digest = announced();
  if (!digest) return;
  const actual = digest.algorithm === 'sha256' ? sha256 : createHash('md5').update(bytes).digest();
  if (!actual.equals(digest.value)) {
    throw new AppError('digest_mismatch', `The ${digest.algorithm} of the content is not the one announced`);
  }
}

function unsupported(detail: string): AppError {
  return new AppError('unsupported_file_type', detail);
}
