import { userInfo } from 'node:os';

const maxLength = 200;

/** Whom the audit trail names for what is done by command: the user of the machine it is typed on. */
export function actor(): string {
  return `cli:${userName()}`.slice(0, maxLength);
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container a process may run under a number that no user has.
    return 'unknown';
  }
}
