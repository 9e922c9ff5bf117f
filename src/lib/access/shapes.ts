import * as z from 'zod';
import { idShape, pageOf, pageParameters, plainText } from '../http/index.ts';
import { scopes } from '../security/index.ts';

/** A text of one line, for people to read. */
const line = plainText(1, 200);

/** A key lives for ten years at most, or until it is revoked. */
export const maxExpiryDays = 3_650;

/** A request for an API key. */
export const apiKeyRequest = z.strictObject({
  name: line,
  scopes: z
    .array(z.enum(scopes))
    .min(1)
    .max(scopes.length)
    .refine((names) => new Set(names).size === names.length, 'names a scope twice'),
  /** Left out: it lives until it is revoked. */
  expires_in_days: z.int().min(1).max(maxExpiryDays).optional(),
});

/** An API key as the API shows it; what proves it is nowhere. */
export const apiKeyShape = z.strictObject({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.string()),
  created_at: z.iso.datetime(),
  created_by: z.string().nullable(),
  expires_at: z.iso.datetime().nullable(),
  last_used_at: z.iso.datetime().nullable(),
  revoked_at: z.iso.datetime().nullable(),
});

export type ApiKeyView = z.infer<typeof apiKeyShape>;

/** A new API key, with what proves it: shown this once. */
export const newApiKeyShape = apiKeyShape.extend({ key: z.string() });

export const apiKeyPageShape = pageOf(apiKeyShape);

/** An API key in a path. */
export const apiKeyParams = z.strictObject({ id: z.string().regex(/^[A-Za-z0-9]{16}$/) });

/** Query parameters of a list whose only order is newest first. */
export const plainListQuery = z.strictObject(pageParameters);

export type PlainListQuery = z.infer<typeof plainListQuery>;

/** Who is calling, as the API shows it. */
export const meShape = z.strictObject({
  id: z.string(),
  /** `admin` stands for all of them. */
  scopes: z.array(z.enum(scopes)),
  project_ids: z.array(z.string()),
  credential: z.strictObject({
    kind: z.enum(['api_key', 'token']),
    expires_at: z.iso.datetime().nullable(),
  }),
});

export type Me = z.infer<typeof meShape>;

/** A request for a project. */
export const projectRequest = z.strictObject({ name: line });

/** A project as lists show it. */
export const projectShape = z.strictObject({ id: idShape, name: z.string(), created_at: z.iso.datetime() });

export type ProjectView = z.infer<typeof projectShape>;

export const projectPageShape = pageOf(projectShape);

/** A project by itself, with its members. */
export const projectWithMembersShape = projectShape.extend({
  members: z.array(z.strictObject({ user_id: z.string(), added_at: z.iso.datetime() })),
});

export type ProjectWithMembers = z.infer<typeof projectWithMembersShape>;

/** A project in a path. */
export const projectParams = z.strictObject({ id: idShape });

/** A member of a project in a path. */
export const memberParams = z.strictObject({ id: idShape, user_id: line });

/** A user in a path; the app itself has no data, and what is being erased is in work. */
export const userParams = z.strictObject({
  id: line.refine((id) => !/^(?:system|erased):/i.test(id), 'is the id of no user'),
});
