import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import { isLoopbackAddress, isPublicAddress } from './addresses.ts';
import { createHostList } from './allowed-hosts.ts';
import { OutboundError } from './errors.ts';

interface DestinationRules {
  /** See {@link createHostList}. */
  readonly allowedHosts: readonly string[];
  /** This machine may be called, without TLS too. */
  readonly allowLoopback: boolean;
}

/** Where calls may go. Asked twice: about the URL, and about the addresses its name has at the moment of connecting. */
export interface Destinations {
  /** What speaks against a URL; `undefined` when it may be called. Worded for whoever gave the URL. */
  faultOf(url: string): string | undefined;
  /**
   * Resolves names as `resolve` does, and refuses a name of whose addresses a single one is not public: a name that was
   * harmless when it was looked at may mean another address a second later, so what is checked is what is connected to.
   */
  guard(resolve: LookupFunction): LookupFunction;
}

export function createDestinations({ allowedHosts, allowLoopback }: DestinationRules): Destinations {
  const isListed = createHostList(allowedHosts);
  const mayCall = (address: string) =>
    isPublicAddress(address) || (allowLoopback && isLoopbackAddress(address));
  const isLocal = (address: string) => isIP(address) !== 0 && isLoopbackAddress(address);

  return {
    faultOf(text) {
      const url = URL.parse(text);
      if (!url) return 'is not a URL';
      const host = url.hostname.replace(/^\[|\]$/g, '');
      const secure =
        url.protocol === 'https:' || (url.protocol === 'http:' && allowLoopback && isLocal(host));
      if (!secure) return 'must be an https:// URL';
      if (url.username !== '' || url.password !== '') return 'must not hold credentials';
      if (!isListed(url)) return 'leads to a host that is not on the list of allowed ones';
      if (isIP(host) !== 0 && !mayCall(host)) return 'leads to an address that is not public';
      return undefined;
    },
    guard: (resolve) => (hostname, options, callback) => {
      resolve(hostname, { ...options, all: true }, (error, found) => {
        const addresses = Array.isArray(found) ? found : [];
        const refused = addresses.find(({ address }) => !mayCall(address));
        if (error || !refused) return callback(error, addresses);
        callback(
          new OutboundError(
            'destination_refused',
            `${hostname} has the address ${refused.address}, which is not public`,
          ),
          [],
        );
      });
    },
  };
}
