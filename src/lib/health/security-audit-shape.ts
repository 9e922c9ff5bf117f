import * as z from 'zod';
import { findingLevels } from '../config/index.ts';

/** What the audit has found: worst first, then what could not be looked at. */
export const securityAuditShape = z.strictObject({
  checked_at: z.iso.datetime(),
  counts: z.strictObject({
    critical: z.int(),
    high: z.int(),
    medium: z.int(),
    low: z.int(),
    /** Questions that nobody answered. */
    unknown: z.int(),
  }),
  findings: z.array(
    z.strictObject({
      id: z.string(),
      level: z.enum([...findingLevels, 'unknown']),
      title: z.string(),
      fix: z.string(),
    }),
  ),
});

export type SecurityAuditReport = z.infer<typeof securityAuditShape>;
