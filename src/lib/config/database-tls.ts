/** How a connection to PostgreSQL is protected: not at all, from listeners only, or also from whoever stands between. */
export type DatabaseTls = 'none' | 'unverified' | 'verified';

/**
 * Reads `sslmode`: `require` and `verify-full` encrypt and verify the certificate, `no-verify` encrypts only, `disable` does
 * neither. (libpq's `require` does not verify, which protects from nobody who can stand between.) Without it, only a
 * server on this machine is spoken to in the clear.
 */
export function databaseTls(url: URL): DatabaseTls {
  const sslmode = url.searchParams.get('sslmode') ?? (isLoopback(url.hostname) ? 'disable' : 'require');
  if (sslmode === 'disable') return 'none';
  return sslmode === 'no-verify' ? 'unverified' : 'verified';
}

/** @param hostname - as a URL has it, an IPv6 address in brackets */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}
