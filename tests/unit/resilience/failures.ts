/** Errors as the SDKs and drivers throw them, by shape. */

/** An answer of Azure Storage. */
export function azureError(statusCode: number, code = '', headers: Record<string, string> = {}): Error {
  const response = { headers: new Headers(headers) };
  return Object.assign(new Error(`Azure says ${statusCode}`), {
    name: 'RestError',
    statusCode,
    code,
    response,
  });
}

/** A request without an answer. */
export function networkError(code: string): Error {
  return Object.assign(new Error(`network: ${code}`), { code });
}

/** An answer of PostgreSQL. */
export function sqlError(code: string): Error {
  return Object.assign(new Error(`SQLSTATE ${code}`), { name: 'error', code, severity: 'ERROR' });
}
