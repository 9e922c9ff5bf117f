import type { SASQueryParameters, StorageSharedKeyCredential } from '@azure/storage-blob';
import type { SasOptions } from './ports.ts';

/** Signs a read-only link to one blob. */
export type SasSigner = (container: string, name: string, options: SasOptions) => Promise<string>;

/**
 * Signs with the account's key. Links are for https unless the account itself is reached by http (the emulator).
 *
 * No correlation id goes into a link: the service would demand it of everyone who uses the link.
 */
export function createKeySigner(
  sdk: typeof import('@azure/storage-blob'),
  credential: StorageSharedKeyCredential,
  isSecure: boolean,
): SasSigner {
  return async (containerName, blobName, { expiresAt, startsAt, ip, contentDisposition, contentType }) => {
    const parameters: SASQueryParameters = sdk.generateBlobSASQueryParameters(
      {
        containerName,
        blobName,
        permissions: sdk.BlobSASPermissions.parse('r'),
        protocol: isSecure ? sdk.SASProtocol.Https : sdk.SASProtocol.HttpsAndHttp,
        expiresOn: new Date(expiresAt),
        ...(startsAt !== undefined && { startsOn: new Date(startsAt) }),
        ...(ip !== undefined && { ipRange: parseIpRange(ip) }),
        ...(contentDisposition !== undefined && { contentDisposition }),
        ...(contentType !== undefined && { contentType }),
      },
      credential,
    );
    return parameters.toString();
  };
}

function parseIpRange(text: string): { start: string; end?: string } {
  const [start = '', end] = text.split('-');
  return end === undefined ? { start } : { start, end };
}
