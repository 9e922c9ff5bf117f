/** Where a PostgreSQL database is and how to get in, as read from its URL. */
export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Left out: no encryption. */
  readonly tls?: { readonly rejectUnauthorized: boolean };
}

/**
 * Reads a `postgresql://` URL.
 *
 * `sslmode`: `require` and `verify-full` encrypt and verify the certificate, `no-verify` encrypts only, `disable` does
 * neither. (libpq's `require` does not verify, which protects from nobody who can stand between.) Without it, only a
 * server on this machine is spoken to in the clear.
 *
 * @throws URIError when a part is not percent-encoded UTF-8
 */
export function parseDatabaseUrl(url: string): DatabaseAddress {
  const parsed = new URL(url);
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  const sslmode = parsed.searchParams.get('sslmode') ?? (isLoopback(host) ? 'disable' : 'require');
  return {
    host,
    port: Number(parsed.port || 5432),
    user: decodeURIComponent(parsed.username),
    password: decodeURIComponent(parsed.password),
    database: decodeURIComponent(parsed.pathname.slice(1)),
    ...(sslmode !== 'disable' && { tls: { rejectUnauthorized: sslmode !== 'no-verify' } }),
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
