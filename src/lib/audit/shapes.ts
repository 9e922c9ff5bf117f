import * as z from 'zod';
import { pageOf, pageParameters, plainText } from '../http/index.ts';

const facts = z.record(z.string(), z.unknown());

/** A row of the trail as the API shows it. What has been erased is left out. */
const auditEntryShape = z.strictObject({
  id: z.int(),
  at: z.iso.datetime(),
  /** The user; the pseudonym of one who has been erased. */
  actor: z.string(),
  /** Whose data it is about, where that is not the actor's. */
  subject: z.string().optional(),
  action: z.string(),
  object: z.strictObject({ type: z.string(), id: z.string() }),
  result: z.enum(['done', 'refused']),
  client_address: z.string().optional(),
  correlation_id: z.string(),
  before: facts.optional(),
  after: facts.optional(),
  /** Whether a seal has been put over the row, so that changing it would be noticed. */
  sealed: z.boolean(),
});

export type AuditEntryView = z.infer<typeof auditEntryShape>;

export const auditPageShape = pageOf(auditEntryShape);

/** A time, or a date that means its midnight in UTC. */
const instant = z
  .union([z.iso.datetime({ offset: true }).max(40), z.iso.date().max(10)], {
    error: 'must be an RFC 3339 time or a date',
  })
  // PostgreSQL knows no year 0.
  .refine((text) => !text.startsWith('0000'), 'must be a time of our era')
  .transform((text) => new Date(text).toISOString());

/** Query parameters of the trail: all that are given must hold. Times are `[from, to)`. */
export const auditListQuery = z
  .strictObject({
    ...pageParameters,
    actor: plainText(1, 200).optional(),
    action: plainText(1, 81).optional(),
    object_type: plainText(1, 40).optional(),
    object_id: plainText(1, 200).optional(),
    correlation_id: plainText(1, 128).optional(),
    from: instant.optional(),
    to: instant.optional(),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, {
    path: ['to'],
    error: 'must be after from',
  });

export type AuditListQuery = z.infer<typeof auditListQuery>;
