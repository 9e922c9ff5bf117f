import * as z from 'zod';
import { isId } from '../core/index.ts';

/** An id in a path, query or body. */
export const idShape = z.string().refine(isId, 'must be a lower-case UUID');

/** A text that the database and a header can hold: no NUL, no half of a surrogate pair. */
export function plainText(minLength: number, maxLength: number) {
  return z
    .string()
    .min(minLength)
    .max(maxLength)
    .refine((text) => text.isWellFormed() && !text.includes('\0'), 'holds characters that cannot be kept');
}

/** A whole number in a query, in decimal digits. */
export function wholeNumber(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(min).max(max));
}
