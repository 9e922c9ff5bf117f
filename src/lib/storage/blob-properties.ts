import type { BlobProperties } from './ports.ts';

/** The properties as the SDK's answers have them; which are there depends on the call. */
interface RawProperties {
  readonly contentLength?: number | undefined;
  /** `bytes 0-9/100` of a ranged read. */
  readonly contentRange?: string | undefined;
  readonly contentType?: string | undefined;
  readonly contentDisposition?: string | undefined;
  readonly etag?: string | undefined;
  readonly lastModified?: Date | undefined;
}

export function toProperties(
  name: string,
  raw: RawProperties,
  metadata: Record<string, string> = {},
): BlobProperties {
  const whole = raw.contentRange?.split('/')[1];
  return {
    name,
    sizeBytes: whole === undefined ? (raw.contentLength ?? 0) : Number(whole),
    contentType: raw.contentType ?? 'application/octet-stream',
    ...(raw.contentDisposition && { contentDisposition: raw.contentDisposition }),
    etag: quoted(raw.etag ?? ''),
    lastModified: raw.lastModified?.getTime() ?? 0,
    metadata: Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key.toLowerCase(), value])),
  };
}

/** Lists give ETags without their quotes. */
function quoted(etag: string): string {
  return etag.startsWith('"') ? etag : `"${etag}"`;
}
