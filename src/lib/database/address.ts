import { databaseTls } from '../config/index.ts';

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
 * What `sslmode` means: {@link databaseTls}.
 *
 * @param token - gives the password where the URL has none; asked only where the server proves who it is, for whoever reads a token may use it
 * @throws URIError when a part is not percent-encoded UTF-8
 */
export function parseDatabaseUrl(url: string, token?: () => Promise<string>): DatabaseAddress {
  const parsed = new URL(url);
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  const protection = databaseTls(parsed);
  const tls = protection === 'none' ? undefined : { rejectUnauthorized: protection === 'verified' };
  return {
    host,
    port: Number(parsed.port || 5432),
    user: decodeURIComponent(parsed.username),
    password: decodeURIComponent(parsed.password) || (tls?.rejectUnauthorized ? token : undefined),
    database: decodeURIComponent(parsed.pathname.slice(1)),
    ...(tls && { tls }),
  };
}
