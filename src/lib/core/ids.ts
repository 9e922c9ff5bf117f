import { randomBytes, randomUUID } from 'node:crypto';

/** A new random id: a lower-case UUID, version 4. */
export function newId(): string {
  return randomUUID();
}

/** Random bytes for secrets. */
export function newSecret(sizeBytes: number): Buffer {
  return randomBytes(sizeBytes);
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True for a lower-case UUID, the only form in which ids are accepted. */
export function isId(text: string): boolean {
  return uuid.test(text);
}
