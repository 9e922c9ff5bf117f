import { AppError } from '../core/index.ts';

/** The deepest body that any endpoint takes has four levels. */
const maxDepth = 32;
/** The longest, a batch of a hundred links, has five hundred. */
const maxValues = 10_000;

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openArray, closeArray, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Refuses JSON whose shape alone would be costly, before anything is made of it: what recurses over a value could run out of
 * stack, and of a million wrong values each would be an error to tell of.
 *
 * @param bytes - UTF-8, whose bytes of other characters are never those of JSON's own
 * @throws AppError `malformed_body`
 */
export function checkJsonBounds(bytes: Uint8Array): void {
  let depth = 0;
  let values = 0;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index];
    if (byte === quote) index = endOfString(bytes, index);
    else if (byte === openArray || byte === openObject) {
      if (++depth > maxDepth)
        throw new AppError('malformed_body', `The body has more than ${maxDepth} levels`);
    } else if (byte === closeArray || byte === closeObject) depth--;
    else if (byte === comma || byte === colon) {
      if (++values > maxValues)
        throw new AppError('malformed_body', `The body has more than ${maxValues} values`);
    }
  }
}

function endOfString(bytes: Uint8Array, start: number): number {
  for (let index = start + 1; index < bytes.length; index++) {
    if (bytes[index] === quote) return index;
    if (bytes[index] === backslash) index++;
  }
  return bytes.length;
}
