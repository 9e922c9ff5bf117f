import { randomBytes, randomUUID } from 'node:crypto';

/** A new random id: a lower-case UUID, version 4. */
export function newId(): string {
  return randomUUID();
}

/** Random bytes for secrets. */
export function newSecret(sizeBytes: number): Buffer {
  return randomBytes(sizeBytes);
}

/** A lower-case UUID, the only form in which ids are accepted. */
export const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True for an id. */
export function isId(text: string): boolean {
  return idPattern.test(text);
}
