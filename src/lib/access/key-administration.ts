import { AppError, type Clock, toTimestamp } from '../core/index.ts';
import {
  countUpTo,
  type Database,
  type Idempotency,
  type RecordAudit,
  type Row,
  sql,
  type Trx,
} from '../database/index.ts';
import { type Cursors, keyedRequest, type RequestKey } from '../http/index.ts';
import { nameResource } from '../observability/index.ts';
import { type Keyring, type NewApiKey, newApiKey, type Scope } from '../security/index.ts';
import { listNewestFirst } from './newest-first.ts';
import type { ApiKeyView, PlainListQuery } from './shapes.ts';

interface KeyAdministrationPorts {
  readonly clock: Clock;
  readonly database: Database;
  readonly keyring: Keyring;
  readonly cursors: Cursors;
  readonly idempotency: Idempotency;
  readonly audit: RecordAudit;
}

/** What a new key is asked to be. */
interface KeyRequest {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expires_in_days?: number | undefined;
}

const dayMs = 86_400_000;
/** Kept for the audit trail, but of no more use to those who look through the list. */
const listedAfterEnd = sql`interval '90 days'`;
const isListed = sql<boolean>`coalesce(least(expires_at, revoked_at) > now() - ${listedAfterEnd}, true)`;

export type KeyAdministration = ReturnType<typeof createKeyAdministration>;

/** Makes the administration of API keys. `actor` is who acts: a caller's id, or `cli:<user>`. */
export function createKeyAdministration(ports: KeyAdministrationPorts) {
  const { clock, database, keyring, idempotency, audit } = ports;
  return {
    /**
     * Makes a key, once for each request key. Its text is in the body of the answer, and kept nowhere.
     *
     * @throws AppError `already_done` for a request that has made its key
     */
    create: (actor: string, request: KeyRequest, key: RequestKey | undefined, signal: AbortSignal) =>
      idempotency.once(keyedRequest(key, request), signal, async ({ record }) => {
        const { expires_in_days: days, ...rest } = request;
        const wish = days === undefined ? rest : { ...rest, expiresAt: clock.now() + days * dayMs };
        const made = newApiKey(keyring);
        nameResource('api-keys', made.id);
        await database.transaction('create API key', signal, async (trx) => {
          const row = await insertApiKey(trx, made, { ...wish, createdBy: actor });
          const { scopes, expires_at } = viewOf(row);
          await audit(trx, {
            action: 'api_key.create',
            object: { type: 'api_key', id: row.id },
            // Without the name, which may say whose key it is: an erasure of the key's data takes it from its row.
            after: { scopes, expires_at },
          });
          await record(trx, {
            status: 201,
            headers: { location: `/api/v1/api-keys/${row.id}` },
            body: { ...viewOf(row), key: made.text },
            holdsSecret: true,
          });
        });
      }),

    /** One page of all keys, newest first, but for those that ended more than 90 days ago. */
    list: (query: PlainListQuery, signal: AbortSignal) =>
      listNewestFirst(
        ports,
        query,
        {
          name: 'API keys',
          rows: (db, { isAfter, offset, limit }) =>
            db
              .selectFrom('api_keys')
              .selectAll()
              .where(isListed)
              .where(isAfter)
              .orderBy('created_at', 'desc')
              .orderBy('id', 'desc')
              .offset(offset)
              .limit(limit)
              .execute(),
          count: (db, limit) => countUpTo(db, db.selectFrom('api_keys').select('id').where(isListed), limit),
          toItem: viewOf,
        },
        signal,
      ),

    /** One key, however long ago it ended. @throws AppError `not_found` */
    async get(id: string, signal: AbortSignal): Promise<ApiKeyView> {
      const row = await database.read('find API key', signal, (db) =>
        db.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst(),
      );
      if (!row) throw noSuchKey();
      return viewOf(row);
    },

    /**
     * Ends a key for good; from then on no instance accepts it.
     *
     * @throws AppError `not_found` also when it has been revoked before, `own_api_key` for the one that is called with: so one that may
     *   administer is left; `unauthorized` when that one has been revoked meanwhile
     */
    async revoke(actor: string, id: string, signal: AbortSignal): Promise<void> {
      if (actor === `key:${id}`) throw ownKey();
      await database.transaction('revoke API key', signal, async (trx) => {
        await requireUnrevoked(trx, actor, id);
        const revokedAt = toTimestamp(clock.now());
        const row = await trx
          .updateTable('api_keys')
          .set({ revoked_at: revokedAt })
          .where('id', '=', id)
          .where('revoked_at', 'is', null)
          .returning('id')
          .executeTakeFirst();
        if (!row) throw noSuchKey();
        await audit(trx, {
          action: 'api_key.revoke',
          object: { type: 'api_key', id },
          before: { revoked_at: null },
          after: { revoked_at: revokedAt },
        });
      });
    },
  };
}

/** Keeps a new key: its hash, not its text. `expiresAt` is in milliseconds since the epoch. */
export function insertApiKey(
  trx: Trx,
  { id, hash }: NewApiKey,
  wish: {
    readonly name: string;
    readonly scopes: readonly Scope[];
    readonly createdBy: string;
    readonly expiresAt?: number;
  },
): Promise<Row<'api_keys'>> {
  const { name, scopes, createdBy, expiresAt } = wish;
  const expiry = expiresAt === undefined ? {} : { expires_at: toTimestamp(expiresAt) };
  return trx
    .insertInto('api_keys')
    .values({ id, name, hash, scopes: [...scopes], created_by: createdBy, ...expiry })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** What is thrown at those who would end the key they call with. */
export function ownKey(): AppError {
  return new AppError('own_api_key', 'This key is the one of the request; call with another to end it');
}

/**
 * Of two keys that revoke each other at the same moment, only the first may: nobody would be left. Both rows are locked in the
 * order of their ids, so that neither waits for the other.
 */
async function requireUnrevoked(trx: Trx, actor: string, id: string): Promise<void> {
  const own = actor.startsWith('key:') ? actor.slice('key:'.length) : undefined;
  if (own === undefined) return;
  const rows = await trx
    .selectFrom('api_keys')
    .select(['id', 'revoked_at'])
    .where('id', 'in', [own, id])
    .orderBy('id')
    .forUpdate()
    .execute();
  if (rows.some((row) => row.id === own && row.revoked_at !== null))
    throw new AppError('unauthorized', 'The key of this request has just been revoked');
}

function noSuchKey(): AppError {
  return new AppError('not_found', 'There is no such API key, or it has been revoked before');
}

function viewOf(row: Row<'api_keys'>): ApiKeyView {
  return {
    id: row.id,
    name: row.name,
    scopes: row.scopes,
    created_at: row.created_at.toISOString(),
    created_by: row.created_by,
    expires_at: row.expires_at?.toISOString() ?? null,
    last_used_at: row.last_used_at?.toISOString() ?? null,
    revoked_at: row.revoked_at?.toISOString() ?? null,
  };
}
