import { createHash } from 'node:crypto';
import type { Credentials } from '../security/index.ts';

/** Far more than callers who are over their limit at the same time; about 200 KB. */
const maxCredentials = 1_000;

/** Whose credentials those are that came when their caller had nothing left. */
export interface SpentCredentials {
  callerOf(credentials: Credentials): string | undefined;
  note(credentials: Credentials, callerId: string): void;
}

/**
 * Remembers who comes too often, so that the database need not be asked about each of their requests: whoever sends a thousand a
 * second would take its connections from everybody else. Only what has been proven is noted, and of a credential its hash alone.
 */
export function createSpentCredentials(): SpentCredentials {
  const callers = new Map<string, string>();
  return {
    // Nobody comes too often, as nearly always: then no hash is made.
    callerOf: (credentials) => (callers.size === 0 ? undefined : callers.get(hashOf(credentials))),
    note(credentials, callerId) {
      callers.set(hashOf(credentials), callerId);
      if (callers.size > maxCredentials) callers.delete(callers.keys().next().value ?? '');
    },
  };
}

function hashOf({ apiKey, authorization, clientPrincipal }: Credentials): string {
  const text = JSON.stringify([apiKey, authorization, clientPrincipal]);
  return createHash('sha256').update(text).digest('base64');
}
