import * as z from 'zod';

/** What can be disturbed; `webhook` stands for all hosts that are notified. */
export const chaosTargets = [
  'blob',
  'backup-blob',
  'table',
  'queue',
  'postgres',
  'postgres-direct',
  'jwks',
  'key-vault',
  'webhook',
] as const;

const form = 'must read as `blob:fault=0.3,latency=200ms postgres:fault=0.1`';

/** Share of the tries that fail, and time that each one waits first. */
const faults = /^fault=(0|1|0?\.\d{1,4})(?:,latency=(\d{1,5})ms)?$|^latency=(\d{1,5})ms$/;

/** Reads the compact form of faults by dependency: entries separated by spaces, each dependency once. */
export const chaos = z.string().transform((text, context) => {
  const found: Record<string, { faultRate: number; latencyMs: number }> = {};
  const refuse = (message: string) => {
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  };
  for (const entry of text.trim().split(/\s+/)) {
    const [, target = '', rest = ''] = /^([a-z-]+):(.*)$/.exec(entry) ?? [];
    const match = faults.exec(rest);
    if (!match) return refuse(form);
    if (!(chaosTargets as readonly string[]).includes(target))
      return refuse(`knows ${chaosTargets.join(', ')} only`);
    if (Object.hasOwn(found, target)) return refuse(`names ${target} twice`);
    const [, fault = '0', latency = '0', latencyAlone = latency] = match;
    found[target] = { faultRate: Number(fault), latencyMs: Number(latencyAlone) };
  }
  return Object.freeze(found);
});
