/** Bytes of a word of V8, which in Node.js does not compress pointers. */
const word = 8;

/**
 * Bytes that a value takes of the heap, for plain data as JSON has it: objects have three words and one for each property,
 * lists six and one for each item, texts two and one or two bytes for each character, fractions two. Names of properties
 * are shared by all objects of a shape. `npm run bench:cache` holds it against what the process really takes.
 */
export function heapBytes(value: unknown): number {
  if (typeof value === 'string') return 2 * word + value.length * (hasWideCharacters.test(value) ? 2 : 1);
  if (typeof value === 'number') return Number.isInteger(value) ? 0 : 2 * word;
  if (typeof value !== 'object' || value === null) return 0;
  const parts: readonly unknown[] = Object.values(value);
  const own = (Array.isArray(value) ? 6 : 3) * word;
  return parts.reduce<number>((sum, part) => sum + word + heapBytes(part), own);
}

/** Beyond Latin-1, which V8 keeps in one byte each. */
const hasWideCharacters = /[^\0-\xff]/;
