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
 * `sslmode`: `require` and `verify-full` encrypt and verify the certificate, `no-verify` encrypts only, `disable` and
 * none do neither. (libpq's `require` does not verify, which protects from nobody who can stand between.)
 */
export function parseDatabaseUrl(url: string): DatabaseAddress {
  const parsed = new URL(url);
  const sslmode = parsed.searchParams.get('sslmode') ?? 'disable';
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: Number(parsed.port || 5432),
    user: decodeURIComponent(parsed.username),
    password: decodeURIComponent(parsed.password),
    database: decodeURIComponent(parsed.pathname.slice(1)),
    ...(sslmode !== 'disable' && { tls: { rejectUnauthorized: sslmode !== 'no-verify' } }),
  };
}
