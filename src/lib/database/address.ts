/** Where a PostgreSQL database is and how to get in. */
export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** A function is asked for each new connection, so that it may give a fresh token. `undefined`: none is sent. */
  readonly password: string | (() => Promise<string>) | undefined;
  readonly database: string;
  /** Left out: no encryption. `ca` is the certificate that vouches for the server, where it is none that Node.js knows. */
  readonly tls?: { readonly rejectUnauthorized: boolean; readonly ca?: string };
}

/** An address that may be replaced: a function is asked at each use, and gives the same object for as long as it stays. */
export type DatabaseSource = DatabaseAddress | (() => DatabaseAddress);

export function addressOf(source: DatabaseSource): DatabaseAddress {
  return typeof source === 'function' ? source() : source;
}

/**
 * Reads a `postgresql://` URL.
 *
 * `sslmode`: `require` and `verify-full` encrypt and verify the certificate, `no-verify` encrypts only, `disable` does
 * neither. (libpq's `require` does not verify, which protects from nobody who can stand between.) Without it, only a
 * server on this machine is spoken to in the clear.
 *
 * @param token - gives the password where the URL has none; asked only where the server proves who it is, for whoever reads a token may use it
 * @throws URIError when a part is not percent-encoded UTF-8
 */
export function parseDatabaseUrl(url: string, token?: () => Promise<string>): DatabaseAddress {
  const parsed = new URL(url);
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  const sslmode = parsed.searchParams.get('sslmode') ?? (isLoopback(host) ? 'disable' : 'require');
  const tls = sslmode === 'disable' ? undefined : { rejectUnauthorized: sslmode !== 'no-verify' };
  return {
    host,
    port: Number(parsed.port || 5432),
    user: decodeURIComponent(parsed.username),
    password: decodeURIComponent(parsed.password) || (tls?.rejectUnauthorized ? token : undefined),
    database: decodeURIComponent(parsed.pathname.slice(1)),
    ...(tls && { tls }),
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
