import * as z from 'zod';
import { idShape, problemShape } from '../http/index.ts';

/** Links are signed with a user delegation key in Azure, which lives 7 days; one day is left for its renewal. */
const maxSeconds = 6 * 24 * 3_600;

const ipv4 = z.ipv4();

const addressWords = 'must be an IPv4 address or a range of two';

/** One IPv4 address, or a range `first-last`. */
const addressOrRange = z
  .string()
  .regex(/^[\d.-]{7,31}$/, { error: addressWords, abort: true })
  .refine((text) => {
    const [first = '', last = first, ...more] = text.split('-');
    const areAddresses = ipv4.safeParse(first).success && ipv4.safeParse(last).success;
    return more.length === 0 && areAddresses && addressNumber(first) <= addressNumber(last);
  }, addressWords);

function addressNumber(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

/** Asks for a link. */
export const sasRequest = z.strictObject({
  file_id: idShape,
  expires_in: z.int().min(60).max(maxSeconds).optional(),
  ip: addressOrRange.optional(),
  // Goes out as a header.
  content_disposition: z
    .string()
    .min(1)
    .max(300)
    .regex(/^[\x20-\x7e]+$/, 'must be visible ASCII')
    .optional(),
});

/** A link that works against storage with no other credential. */
export const sasLink = z.strictObject({
  file_id: z.string(),
  url: z.url(),
  permissions: z.tuple([z.literal('read')]),
  expires_at: z.iso.datetime(),
  cached: z.boolean(),
});

/** Up to 100 links at once; each item is checked by itself. */
export const sasBatchRequest = z.strictObject({ items: z.array(z.unknown()).min(1).max(100) });

/** One result for each item, in the same order. */
export const sasBatchResult = z.strictObject({
  results: z.array(
    z.union([
      z.strictObject({ file_id: z.string(), url: z.url(), expires_at: z.iso.datetime() }),
      z.strictObject({ file_id: z.string().nullable(), problem: problemShape }),
    ]),
  ),
});

export type SasRequest = z.infer<typeof sasRequest>;
export type SasLink = z.infer<typeof sasLink>;
export type SasBatchResult = z.infer<typeof sasBatchResult>;
