import { LRUCache } from 'lru-cache';
import * as z from 'zod';
import { AppError, type Clock, type FieldError, toTimestamp } from '../core/index.ts';
import { validate } from '../http/index.ts';
import type { Caller } from '../security/index.ts';
import type { BlobStore } from '../storage/index.ts';

const defaultSeconds = 24 * 3_600;
/** Links are signed with a user delegation key in Azure, which lives 7 days; one day is left for its renewal. */
const maxSeconds = 6 * 24 * 3_600;
/** A plain link lives 24 h and is given out again for 23 h, so that whoever gets it has an hour at least. */
const cachedSeconds = 23 * 3_600;
const maxCachedLinks = 10_000;

const ipv4 = z.ipv4();

/** One IPv4 address, or a range `first-last`. */
const addressOrRange = z.string().refine((text) => {
  const parts = text.split('-');
  return parts.length <= 2 && parts.every((part) => ipv4.safeParse(part).success);
}, 'must be an IPv4 address or a range of two');

/** Asks for a link. */
export const sasRequest = z.strictObject({
  file_id: z.uuid().regex(/^[0-9a-f-]+$/, 'must be lower case'),
  expires_in: z.int().min(60).max(maxSeconds).optional(),
  ip: addressOrRange.optional(),
  // Goes out as a header.
  content_disposition: z
    .string()
    .min(1)
    .max(300)
    .regex(/^[\x20-\x7e]+$/, 'must be visible ASCII')
    .optional(),
});

/** A link that works against storage with no other credential. */
export const sasLink = z.strictObject({
  file_id: z.string(),
  url: z.url(),
  permissions: z.tuple([z.literal('read')]),
  expires_at: z.iso.datetime(),
  cached: z.boolean(),
});

/** Up to 100 links at once. */
export const sasBatchRequest = z.strictObject({ items: z.array(z.unknown()).min(1).max(100) });

const problemShape = z.strictObject({
  code: z.string(),
  status: z.int(),
  title: z.string(),
  detail: z.string(),
  errors: z.array(z.strictObject({ path: z.string(), message: z.string(), code: z.string() })).optional(),
});

/** One result for each item, in the same order. */
export const sasBatchResult = z.strictObject({
  results: z.array(
    z.union([
      z.strictObject({ file_id: z.string(), url: z.url(), expires_at: z.iso.datetime() }),
      z.strictObject({ file_id: z.string().nullable(), problem: problemShape }),
    ]),
  ),
});

type SasRequest = z.infer<typeof sasRequest>;
type SasLink = z.infer<typeof sasLink>;

interface SasPorts {
  readonly clock: Clock;
  readonly blobs: BlobStore;
  /** @throws AppError when the caller may not link to the file, or it is not there to be read */
  findLinkable(caller: Caller, fileId: string, signal: AbortSignal): Promise<{ blobName: string }>;
}

/** Gives out time-limited, read-only links. */
export interface SasLinks {
  issue(caller: Caller, request: SasRequest, signal: AbortSignal): Promise<SasLink>;
  /** An item that is refused has a problem in its place; the others are not affected. */
  issueBatch(
    caller: Caller,
    items: readonly unknown[],
    signal: AbortSignal,
  ): Promise<z.infer<typeof sasBatchResult>>;
}

/** Makes the issuer of links. Each is checked against the file at the moment of asking, also when it comes from the cache. */
export function createSasLinks({ clock, blobs, findLinkable }: SasPorts): SasLinks {
  const plainLinks = new LRUCache<string, { url: string; expiresAt: number }>({
    max: maxCachedLinks,
    ttl: cachedSeconds * 1000,
    // The library would remember the time for a moment, by a timer of its own.
    ttlResolution: 0,
    perf: { now: () => clock.now() },
  });

  async function issue(caller: Caller, request: SasRequest, signal: AbortSignal): Promise<SasLink> {
    const { file_id: fileId, expires_in: seconds, ip, content_disposition: contentDisposition } = request;
    const { blobName } = await findLinkable(caller, fileId, signal);
    const isPlain = seconds === undefined && ip === undefined && contentDisposition === undefined;
    const known = isPlain ? plainLinks.get(blobName) : undefined;
    if (known) return linkOf(fileId, known, true);
    const expiresAt = clock.now() + (seconds ?? defaultSeconds) * 1000;
    const url = await blobs.sasUrl(blobName, {
      expiresAt,
      signal,
      ...(ip !== undefined && { ip }),
      ...(contentDisposition !== undefined && { contentDisposition }),
    });
    const made = { url, expiresAt };
    if (isPlain) plainLinks.set(blobName, made);
    return linkOf(fileId, made, false);
  }

  return {
    issue,
    async issueBatch(caller, items, signal) {
      const results = [];
      for (const item of items) {
        results.push(await issueItem(item, (request) => issue(caller, request, signal)));
      }
      return { results };
    },
  };
}

function linkOf(
  fileId: string,
  { url, expiresAt }: { url: string; expiresAt: number },
  cached: boolean,
): SasLink {
  return { file_id: fileId, url, permissions: ['read'], expires_at: toTimestamp(expiresAt), cached };
}

async function issueItem(item: unknown, issue: (request: SasRequest) => Promise<SasLink>) {
  try {
    const { file_id, url, expires_at } = await issue(validate(sasRequest, item));
    return { file_id, url, expires_at };
  } catch (error) {
    // An outage is not the item's fault, and it will meet the others too.
    if (!(error instanceof AppError) || error.status >= 500) throw error;
    return { file_id: fileIdOf(item), problem: itemProblem(error) };
  }
}

function fileIdOf(item: unknown): string | null {
  const id = typeof item === 'object' && item !== null && 'file_id' in item ? item.file_id : null;
  return typeof id === 'string' ? id.slice(0, 100) : null;
}

function itemProblem({ code, status, title, message, errors }: AppError) {
  return {
    code,
    status,
    title,
    detail: message,
    ...(errors && { errors: errors.map((error: FieldError) => ({ ...error })) }),
  };
}
