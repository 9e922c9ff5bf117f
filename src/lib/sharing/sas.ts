import { type Caches, cacheKey } from '../cache/index.ts';
import { AppError, type Clock, isId, toTimestamp } from '../core/index.ts';
import type { AuditEntry, NoteAudit } from '../database/index.ts';
import { toProblem, validate } from '../http/index.ts';
import { currentContext, nameResource } from '../observability/index.ts';
import type { Caller } from '../security/index.ts';
import type { BlobStore } from '../storage/index.ts';
import { type SasBatchResult, type SasLink, type SasRequest, sasRequest } from './shapes.ts';

const defaultSeconds = 24 * 3_600;
/** A plain link lives 24 h and is given out again for 23 h, so that whoever gets it has an hour at least. */
const cachedSeconds = 23 * 3_600;
/** About 8,000 links. */
const cachedBytes = 8 * 1024 * 1024;

/** Gives the blob of a file. @throws AppError when the caller may not link to it, or it is not there to be read */
export type FindBlob = (fileId: string) => { readonly blobName: string; readonly ownerId: string };

interface SasPorts {
  readonly clock: Clock;
  readonly caches: Caches;
  readonly blobs: BlobStore;
  readonly noteAudit: NoteAudit;
  /** Looks up to 100 files up at once. */
  findLinkable(caller: Caller, fileIds: readonly string[], signal: AbortSignal): Promise<FindBlob>;
}

/** Gives out time-limited, read-only links. */
export interface SasLinks {
  issue(caller: Caller, request: SasRequest, signal: AbortSignal): Promise<SasLink>;
  /** An item that is refused has a problem in its place; the others are not affected. */
  issueBatch(caller: Caller, items: readonly unknown[], signal: AbortSignal): Promise<SasBatchResult>;
}

/** `expiresAt` is in milliseconds since the epoch. */
interface MadeLink {
  readonly url: string;
  readonly expiresAt: number;
}

/** Makes the issuer of links. Each is checked against the file at the moment of asking, also when it comes from the cache. */
export function createSasLinks({ clock, caches, blobs, noteAudit, findLinkable }: SasPorts): SasLinks {
  const plainLinks = caches.region<MadeLink>({
    name: 'plain-links',
    shared: false,
    ttlMs: cachedSeconds * 1000,
    exact: true,
    maxBytes: cachedBytes,
  });

  async function make(blobName: string, request: SasRequest, signal: AbortSignal): Promise<MadeLink> {
    const { expires_in: seconds = defaultSeconds, ip, content_disposition: contentDisposition } = request;
    const expiresAt = clock.now() + seconds * 1000;
    const url = await blobs.sasUrl(blobName, {
      expiresAt,
      signal,
      ...(ip !== undefined && { ip }),
      ...(contentDisposition !== undefined && { contentDisposition }),
    });
    return { url, expiresAt };
  }

  async function sign(findBlob: FindBlob, request: SasRequest, signal: AbortSignal): Promise<SasLink> {
    const { file_id: fileId, expires_in: seconds, ip, content_disposition: contentDisposition } = request;
    const { blobName } = findBlob(fileId);
    const isPlain = seconds === undefined && ip === undefined && contentDisposition === undefined;
    if (!isPlain) return linkOf(fileId, await make(blobName, request, signal), false);
    let cached = true;
    const makeNew = (loadSignal: AbortSignal) => {
      cached = false;
      return make(blobName, request, loadSignal);
    };
    const link = await plainLinks.get(cacheKey(blobName), makeNew, signal);
    return linkOf(fileId, link, cached);
  }

  return {
    async issue(caller, request, signal) {
      nameResource('files', request.file_id);
      const findBlob = await findLinkable(caller, [request.file_id], signal);
      const link = await sign(findBlob, request, signal);
      await noteAudit([issueOf(findBlob, link)], signal);
      return link;
    },
    async issueBatch(caller, items, signal) {
      const ids = items
        .map(fileIdOf)
        .filter((id) => id !== null)
        .filter(isId);
      const findBlob = await findLinkable(caller, ids, signal);
      const results: SasBatchResult['results'] = [];
      for (const item of items) {
        results.push(await signItem(item, (request) => sign(findBlob, request, signal)));
      }
      const issued = results.flatMap((result) => ('url' in result ? [issueOf(findBlob, result)] : []));
      // No link is given out that the audit trail does not know of.
      await noteAudit(issued, signal);
      return { results };
    },
  };
}

function issueOf(
  findBlob: FindBlob,
  { file_id: id, expires_at }: Pick<SasLink, 'file_id' | 'expires_at'>,
): AuditEntry {
  const { ownerId: subjectId } = findBlob(id);
  return { action: 'link.issue', object: { type: 'file', id }, subjectId, after: { expires_at } };
}

function linkOf(fileId: string, { url, expiresAt }: MadeLink, cached: boolean): SasLink {
  return { file_id: fileId, url, permissions: ['read'], expires_at: toTimestamp(expiresAt), cached };
}

async function signItem(item: unknown, sign: (request: SasRequest) => Promise<SasLink>) {
  try {
    const { file_id, url, expires_at } = await sign(validate(sasRequest, item));
    return { file_id, url, expires_at };
  } catch (error) {
    // An outage is not the item's fault, and it will meet the others too.
    if (!(error instanceof AppError) || error.status >= 500) throw error;
    const correlationId = currentContext()?.correlationId ?? '';
    return { file_id: fileIdOf(item), problem: toProblem(error, correlationId) };
  }
}

/** The id an item asks for, as the client wrote it. */
function fileIdOf(item: unknown): string | null {
  const id = typeof item === 'object' && item !== null && 'file_id' in item ? item.file_id : null;
  return typeof id === 'string' ? id.slice(0, 100) : null;
}
