import * as z from 'zod';
import { idPattern } from '../core/index.ts';

/*
 * Bounds and patterns are written so that JSON Schema shows them: a test walks every parameter and body, and refuses what
 * has none.
 */

/** An id in a path, query or body. */
export const idShape = z.string().regex(idPattern, 'must be a lower-case UUID');

/**
 * Texts that somebody reads hold no controls (NUL, which PostgreSQL refuses, among them), no line separators, no halves of
 * surrogate pairs, and nothing that turns the direction of writing, which hides what a name really is (CVE-2021-42574).
 */
const plain = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]*$/u;

/** Whether a text can be kept, shown and sent in a header. */
export function isPlain(text: string): boolean {
  return plain.test(text);
}

/** A text that can be kept, shown and sent in a header; lengths in UTF-16 units. */
export function plainText(minLength: number, maxLength: number) {
  return z.string().min(minLength).max(maxLength).regex(plain, 'holds control characters');
}

/** A whole number in a query, in decimal digits. */
export function wholeNumber(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(min).max(max));
}

/** A yes or no in a query, in any of the usual words. */
export const flagText = z
  .string()
  .regex(/^\w{1,8}$/, 'must be true or false')
  .pipe(z.stringbool());

/** Texts under free names; how large it may be in all says who uses it. */
export function textsByName(name: z.ZodString, text: z.ZodString, maxCount: number) {
  return z
    .record(name, text)
    .refine((values) => Object.keys(values).length <= maxCount, `holds more than ${maxCount} values`)
    .meta({ maxProperties: maxCount });
}
