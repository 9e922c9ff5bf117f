/** One entry of a list of hosts that may be called. */
interface AllowedHost {
  readonly name: string;
  /** The hosts below it, not itself. */
  readonly subdomains: boolean;
  readonly port: string;
}

/**
 * Makes the test whether a URL leads to a listed host.
 *
 * @param entries - `hooks.example.com`, `*.example.com` for what lies below, `hooks.example.com:8443`; port 443 where
 *   none is written
 * @throws Error for an entry that is none of these
 */
export function createHostList(entries: readonly string[]): (url: URL) => boolean {
  const hosts = entries.map(parseEntry);
  return (url) => {
    const port = url.port || (url.protocol === 'http:' ? '80' : '443');
    return hosts.some(
      (host) =>
        host.port === port &&
        (host.subdomains ? url.hostname.endsWith(`.${host.name}`) : url.hostname === host.name),
    );
  };
}

/** Read by the parser that also reads the URLs, so that both write a name in the same way. */
function parseEntry(entry: string): AllowedHost {
  const subdomains = entry.startsWith('*.');
  const rest = subdomains ? entry.slice(2) : entry;
  const url = /^[^*/?#@\\\s]+$/.test(rest) ? URL.parse(`https://${rest}`) : undefined;
  if (!url) throw new Error(`${entry} is not a host: write hooks.example.com, *.example.com or host:port`);
  return { name: url.hostname, subdomains, port: url.port || '443' };
}
