/** Everything a credential can be allowed to do. `admin` implies all of them. */
export const scopes = [
  'files:read',
  'files:write',
  'files:share',
  'scans:read',
  'scans:write',
  'reports:read',
  'monitoring:read',
  'backups:read',
  'backups:write',
  'admin',
] as const;

export type Scope = (typeof scopes)[number];

/** Narrows a text to a scope. */
export function isScope(text: string): text is Scope {
  return (scopes as readonly string[]).includes(text);
}

/** Who is calling, proven by a credential. */
export interface Caller {
  /** Owner id of what the caller creates: `key:<id>` for an API key. */
  readonly id: string;
  readonly scopes: ReadonlySet<Scope>;
  /** Projects the caller is a member of. */
  readonly projectIds: readonly string[];
  /** When the credential ends, in milliseconds since the epoch; left out: not by itself. */
  readonly expiresAt?: number | undefined;
}

/** True when the caller holds the scope, or `admin`. */
export function allows(caller: Caller, scope: Scope): boolean {
  return caller.scopes.has(scope) || caller.scopes.has('admin');
}

/** True for callers who see everything. */
export function isAdmin(caller: Caller): boolean {
  return caller.scopes.has('admin');
}
