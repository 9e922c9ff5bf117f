import { toTimestamp } from '../core/index.ts';
import type { Caller } from '../security/index.ts';
import type { Me } from './shapes.ts';

/** Tells callers who they are to us, and until when. */
export function describeCaller({ id, scopes, projectIds, expiresAt }: Caller): Me {
  return {
    id,
    scopes: [...scopes].sort(),
    project_ids: [...projectIds].sort(),
    credential: {
      // No token may name a subject that begins like the id of a key.
      kind: id.startsWith('key:') ? 'api_key' : 'token',
      expires_at: expiresAt === undefined ? null : toTimestamp(expiresAt),
    },
  };
}
