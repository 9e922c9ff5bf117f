/** The roles cannot be applied as they were asked for; nothing has changed. The message is for the operator: what is in the way, and what to do about it. */
export class RoleError extends Error {
  override readonly name = 'RoleError' as const;
  readonly code = 'roles_refused';
}
