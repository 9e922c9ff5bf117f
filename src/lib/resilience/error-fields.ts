/** A property of whatever was thrown. */
export function fieldOf(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
}

/** A text property of whatever was thrown; `code` of a DOMException, for one, is a number. */
export function textOf(error: unknown, name: string): string {
  const value = fieldOf(error, name);
  return typeof value === 'string' ? value : '';
}

/**
 * The service's own word, as `BlobNotFound`, a network code or an SQLSTATE. Each SDK of Azure and method keeps it somewhere
 * else: an answer without body has it in a header, errors of tables two levels deeper.
 */
export function codeOf(error: unknown): string {
  const details = fieldOf(error, 'details');
  return (
    textOf(error, 'code') || textOf(details, 'errorCode') || textOf(fieldOf(details, 'odataError'), 'code')
  );
}
