import type { Clock } from '../core/index.ts';
import type { BlobAccess } from './account.ts';
import type { Call } from './calls.ts';
import { createDelegationKeys, keyLifeMs, skewMs } from './delegation-key.ts';
import type { SasOptions } from './ports.ts';

/** Signs a read-only link to one blob. */
type SasSigner = (container: string, name: string, options: SasOptions) => Promise<string>;

interface SignerOptions {
  readonly call: Call;
  readonly clock: Clock;
}

/** What a key made for it can carry; the same for links that the account's key signs, or they would fail only in Azure. */
export const maxLinkMs = keyLifeMs - skewMs;

/**
 * Signs with the account's key, or by the app's identity with a key that the service has given it. Links are for https
 * unless the account itself is reached by http (the emulator).
 *
 * No correlation id goes into a link: the service would demand it of everyone who uses the link.
 */
export function createSigner(
  { sdk, service, accountName, sharedKey }: BlobAccess,
  { call, clock }: SignerOptions,
): SasSigner {
  const protocol = service.url.startsWith('https:') ? sdk.SASProtocol.Https : sdk.SASProtocol.HttpsAndHttp;
  const permissions = sdk.BlobSASPermissions.parse('r');
  const keyFor = createDelegationKeys({
    call,
    clock,
    async fetch(startsOn, expiresOn, abortSignal) {
      // The rest of the answer holds the token that it was asked with.
      const { _response, ...key } = await service.getUserDelegationKey(startsOn, expiresOn, { abortSignal });
      return key;
    },
  });

  return async (
    containerName,
    blobName,
    { signal, expiresAt, startsAt, ip, contentDisposition, contentType },
  ) => {
    const values = {
      containerName,
      blobName,
      permissions,
      protocol,
      expiresOn: new Date(expiresAt),
      ...(startsAt !== undefined && { startsOn: new Date(startsAt) }),
      ...(ip !== undefined && { ipRange: parseIpRange(ip) }),
      ...(contentDisposition !== undefined && { contentDisposition }),
      ...(contentType !== undefined && { contentType }),
    };
    const parameters = sharedKey
      ? sdk.generateBlobSASQueryParameters(values, sharedKey)
      : sdk.generateBlobSASQueryParameters(values, await keyFor(expiresAt, signal), accountName);
    return parameters.toString();
  };
}

function parseIpRange(text: string): { start: string; end?: string } {
  const [start = '', end] = text.split('-');
  return end === undefined ? { start } : { start, end };
}
