import type * as audits from './audit/audit.ts';

/* What only an audit needs, loaded with the first one: 15 kB that no request waits for at a cold start. */

export const auditSettings = async (
  ...call: Parameters<typeof audits.auditSettings>
): Promise<ReturnType<typeof audits.auditSettings>> =>
  (await import('./audit/audit.ts')).auditSettings(...call);
