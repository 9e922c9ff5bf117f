/** A property of whatever was thrown. */
export function fieldOf(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
}

/** A text property of whatever was thrown; `code` of a DOMException, for one, is a number. */
export function textOf(error: unknown, name: string): string {
  const value = fieldOf(error, name);
  return typeof value === 'string' ? value : '';
}

/** The service's own word, a network code or an SQLSTATE; errors of tables keep it two levels deeper. */
export function codeOf(error: unknown): string {
  return textOf(error, 'code') || textOf(fieldOf(fieldOf(error, 'details'), 'odataError'), 'code');
}
