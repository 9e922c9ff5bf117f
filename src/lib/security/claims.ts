import { isId } from '../core/index.ts';
import { isScope, type Scope, scopes } from './scopes.ts';

/** Who is calling, by the word of an identity provider. */
export interface ProvenIdentity {
  readonly id: string;
  readonly scopes: ReadonlySet<Scope>;
  /** Projects that the provider adds to those of the database. */
  readonly projectIds: readonly string[];
  /** When the credential ends, in milliseconds since the epoch. */
  readonly expiresAt?: number;
}

/** Not believed. `refused` is a word for the log of operators, and holds nothing of what was sent. */
export interface Refusal {
  readonly refused: string;
  /** It was good, and is over. */
  readonly hasExpired?: boolean;
}

/** Claims by their names, as they were read. */
export type Claims = Readonly<Record<string, unknown>>;

/** Ids of others than users: API keys, operators at the command, the app itself, those whose files are being erased. */
const reservedIds = /^(?:key|cli|system|erased):/i;
/** Control, format, private and unassigned characters, halves of surrogate pairs, separators of lines; blanks at an end. */
const unfitForIds = /[\p{C}\p{Zl}\p{Zp}]|^\s|\s$/u;
const maxProjects = 100;

/**
 * Reads who somebody is out of claims that are already believed. Scopes that we do not know are let go by, they are for
 * others; a claim that is not of its form is refused.
 *
 * @param adminRole - who has it among `roles` may do everything
 */
export function readIdentity(claims: Claims, adminRole: string): ProvenIdentity | Refusal {
  const { sub, projects = [] } = claims;
  if (!isUserId(sub)) return { refused: 'sub' };
  const [scope, scp] = [readWords(claims['scope']), readWords(claims['scp'])];
  // A text is one role: split at blanks, the role "no admin" would hold another.
  const roles = readTexts(typeof claims['roles'] === 'string' ? [claims['roles']] : claims['roles']);
  if (!scope || !scp) return { refused: 'scope' };
  if (!roles) return { refused: 'roles' };
  if (!isProjectList(projects)) return { refused: 'projects' };
  return {
    id: sub,
    scopes: new Set(roles.includes(adminRole) ? scopes : [...scope, ...scp].filter(isScope)),
    projectIds: projects,
  };
}

/** True for the id of a user; those of API keys and of the app itself are none. */
function isUserId(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    // As long as the database keeps them.
    value.length >= 1 &&
    value.length <= 200 &&
    !unfitForIds.test(value) &&
    !reservedIds.test(value)
  );
}

/** Separated by spaces (RFC 8693 §4.2), or a list as some providers write it. */
function readWords(value: unknown): readonly string[] | undefined {
  return readTexts(typeof value === 'string' ? value.split(' ') : value);
}

function readTexts(value: unknown = []): readonly string[] | undefined {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string') ? value : undefined;
}

function isProjectList(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length <= maxProjects &&
    value.every((entry) => typeof entry === 'string' && isId(entry))
  );
}
