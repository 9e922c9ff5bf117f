import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createAuditTrail } from '../../../src/lib/audit/index.ts';
import { createCaches } from '../../../src/lib/cache/index.ts';
import { isAppError, systemClock } from '../../../src/lib/core/index.ts';
import {
  createIdempotency,
  type Database,
  migrateToLatest,
  parseDatabaseUrl,
  sql,
} from '../../../src/lib/database/index.ts';
import { createFiles } from '../../../src/lib/files/index.ts';
import { createCursors } from '../../../src/lib/http/index.ts';
import { createMetrics, runInContext } from '../../../src/lib/observability/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { createKeyring } from '../../../src/lib/security/index.ts';
import type { BlobStore } from '../../../src/lib/storage/index.ts';
import { type Cut, type CuttingProxy, startCuttingProxy } from '../../support/cutting-proxy.ts';
import { createDatabase, dropDatabase, openDatabase } from '../../support/databases.ts';
import { memoryBlobStore } from '../../support/memory/memory-blob-store.ts';
import { memoryTableStore } from '../../support/memory/memory-table-store.ts';
import { toArray } from '../../support/to-array.ts';
import { pngBytes } from '../../support/uploads.ts';

let url: string;
/** Looks on from beside. */
let database: Database;

beforeAll(async () => {
  url = await createDatabase(inject('databaseUrl'));
  await migrateToLatest(parseDatabaseUrl(url));
  database = open(url);
});
afterAll(async () => {
  await database.close();
  await dropDatabase(url);
});

const { signal } = new AbortController();
const logger = { debug() {}, info() {}, warning() {}, error() {}, child: () => logger };
const keyring = createKeyring('a secret of at least 32 bytes, for tests');
const cursors = createCursors(keyring);
const route = 'POST /api/v1/uploads';
/** Retries without waiting; breakers would make one run depend on the ones before. */
const clock = { ...systemClock, random: () => 0 };
const open = (address: string) =>
  openDatabase(address, createResilience({ clock, settings: { breakerThreshold: 0 } }));

/** The app, as one process of it is. */
function startProcess(processDatabase: Database, blobs: BlobStore) {
  return createFiles({
    clock,
    logger,
    metrics: createMetrics('test'),
    database: processDatabase,
    audit: createAuditTrail({ clock, logger, database, keyring, cursors, archive: memoryBlobStore() }).record,
    caches: createCaches({ clock, logger, table: memoryTableStore, instance: 'test' }),
    idempotency: createIdempotency({ database: processDatabase, clock, logger }),
    blobs,
    trash: memoryBlobStore(),
    container: 'files',
    cursors,
    rules: { maxBytes: 10_000, extensions: ['png'] },
  });
}

/** One client with one photo, who tries under one key until it has an answer. */
function newClient() {
  const caller = { id: `key:${crypto.randomUUID()}`, scopes: new Set<never>(), projectIds: [] };
  const key = { caller: caller.id, route, key: 'photo-1' };
  const bytes = pngBytes();
  return {
    caller,
    bytes,
    upload(files: ReturnType<typeof startProcess>, until = signal) {
      const message = new IncomingMessage(new Socket());
      message.headers = { 'content-type': 'image/png', 'x-file-name': 'photo.png' };
      message.push(bytes);
      message.push(null);
      const context = { correlationId: 'c', functionName: 'f', requestId: 'r', write: undefined };
      return runInContext({ ...context, userId: caller.id }, () =>
        files.upload(caller, { message, projectId: undefined, key }, until),
      );
    },
  };
}

type Client = ReturnType<typeof newClient>;

/** Lets the time pass in which whoever has a key of this client may be at work. */
async function letClaimEnd({ caller }: Client): Promise<void> {
  await database.transaction('let time pass', signal, (trx) =>
    sql`update idempotency_keys set claimed_until = now() - interval '1 second' where caller = ${caller.id}`.execute(
      trx,
    ),
  );
}

/**
 * Holds the end against what was promised: one file, its bytes, the same answer for ever; and no blob that no row knows of, so
 * that what an attempt left is found and goes.
 */
async function expectOneFile(client: Client, blobs: BlobStore): Promise<void> {
  const files = startProcess(database, blobs);
  const first = await client.upload(files);
  const again = await client.upload(files);
  const left = await rowsOf(client);
  const known = left.map(({ blob_name }) => blob_name);
  const unknown = (await namesIn(blobs)).filter((name) => !known.includes(name));
  await database.transaction('let time pass', signal, (trx) =>
    sql`update files set created_at = now() - interval '1 day' where owner_id = ${client.caller.id}`.execute(
      trx,
    ),
  );
  await files.discardAbandoned(signal);

  expect(first).toMatchObject({ status: 201, body: { status: 'available', size: client.bytes.length } });
  expect(again).toEqual({ ...first, replayed: true });
  expect(unknown).toEqual([]);
  const rows = await rowsOf(client);
  expect(rows).toMatchObject([{ status: 'available' }]);
  expect(await auditedOf(client)).toEqual([{ action: 'file.upload', object_id: rows[0]?.id }]);
  expect(first.headers).toEqual({ location: `/api/v1/files/${rows[0]?.id}` });
  expect(await namesIn(blobs)).toEqual([rows[0]?.blob_name]);
  const [chunk] = await toArray((await blobs.download(rows[0]?.blob_name ?? '', { signal })).body);
  expect(client.bytes.equals(Buffer.from(chunk as Uint8Array))).toBe(true);
}

function rowsOf({ caller }: Client) {
  return database.read('look', signal, (db) =>
    db.selectFrom('files').select(['id', 'status', 'blob_name']).where('owner_id', '=', caller.id).execute(),
  );
}

function auditedOf({ caller }: Client) {
  return database.read('look', signal, (db) =>
    db
      .selectFrom('audit_log')
      .innerJoin('audit_actors', 'pseudonym', 'actor')
      .select(['action', 'object_id'])
      .where('user_id', '=', caller.id)
      .execute(),
  );
}

async function namesIn(blobs: BlobStore): Promise<string[]> {
  return (await toArray(blobs.list('', { signal }))).map(({ name }) => name);
}

/** Of a process that dies: nothing that it does after its death has an effect. */
function mortalBlobs(blobs: BlobStore, isDead: () => boolean): BlobStore {
  const die = () => Promise.reject(new Error('the process has died'));
  return {
    ...blobs,
    upload: (...call) => (isDead() ? die() : blobs.upload(...call)),
    delete: (...call) => (isDead() ? die() : blobs.delete(...call)),
  };
}

async function codeOf(uploading: Promise<unknown>): Promise<string> {
  return uploading.then(
    () => 'done',
    (error) => (isAppError(error) ? error.code : String(error)),
  );
}

async function uploadThrough(proxy: CuttingProxy, client: Client, blobs: BlobStore): Promise<string> {
  const behindProxy = open(proxy.url);
  const code = await codeOf(client.upload(startProcess(behindProxy, blobs)));
  await behindProxy.close();
  return code;
}

async function statementsOfAnUpload(): Promise<string[]> {
  await using proxy = await startCuttingProxy(url);
  expect(await uploadThrough(proxy, newClient(), memoryBlobStore())).toBe('done');
  return [...proxy.statements];
}

describe('an upload under a key', () => {
  it('takes the key, announces the file, and makes it available together with its answer and its row in the audit trail', async () => {
    const statements = await statementsOfAnUpload();

    expect(statements.map((text) => text.trim().split(/\s+/).slice(0, 3).join(' '))).toEqual([
      ...['begin', 'insert into idempotency_keys', 'commit'],
      ...['begin', 'insert into "files"', 'commit'],
      ...['begin', 'update "files" set', 'select * from'],
      // Whoever has no pseudonym yet gets one.
      ...['with people as', 'insert into "audit_actors"', 'with people as'],
      ...['update "idempotency_keys" set', 'commit'],
    ]);
  });

  it('ends as one file when its connection is cut at any statement, before or after', async () => {
    const { length } = await statementsOfAnUpload();
    const codes = new Set<string>();

    for (let statement = 1; statement <= length; statement++) {
      for (const when of ['before', 'after'] as const) {
        const [client, blobs] = [newClient(), memoryBlobStore()];
        await using proxy = await startCuttingProxy(url, { statement, when, forGood: false });

        codes.add(await uploadThrough(proxy, client, blobs));

        expect(proxy.hasCut, `${when} ${statement}`).toBe(true);
        await expectOneFile(client, blobs);
      }
    }
    // What can be repeated is, by itself; of a commit without an answer only the client can say that it still wants it.
    expect([...codes].toSorted()).toEqual(['done', 'unavailable']);
  });

  it('ends as one file when its process dies at any statement, before or after', async () => {
    const { length } = await statementsOfAnUpload();
    const meanwhile = new Set<string>();

    for (let statement = 1; statement <= length; statement++) {
      for (const when of ['before', 'after'] as const) {
        const [client, blobs] = [newClient(), memoryBlobStore()];
        const cut: Cut = { statement, when, forGood: true };
        await using proxy = await startCuttingProxy(url, cut);

        const dying = await uploadThrough(
          proxy,
          client,
          mortalBlobs(blobs, () => proxy.hasCut),
        );
        expect(dying, `${when} ${statement}`).toBe('unavailable');
        if (statement > 3 && statement < length)
          meanwhile.add(await codeOf(client.upload(startProcess(database, blobs))));
        await letClaimEnd(client);

        await expectOneFile(client, blobs);
      }
    }
    expect([...meanwhile]).toEqual(['idempotency_key_in_use']);
  });

  it.each(['before', 'after'])(
    'ends as one file when its process dies %s its blob is stored',
    async (when) => {
      const [client, blobs] = [newClient(), memoryBlobStore()];
      let isDead = false;
      await using proxy = await startCuttingProxy(url, { statement: 7, when: 'before', forGood: true });
      const dying: BlobStore = {
        ...mortalBlobs(blobs, () => isDead),
        async upload(...call) {
          isDead = true;
          if (when === 'after') await blobs.upload(...call);
          throw new Error('the process has died');
        },
      };

      expect(await uploadThrough(proxy, client, dying)).toBe('Error: the process has died');
      expect(await namesIn(blobs)).toHaveLength(when === 'after' ? 1 : 0);
      expect(await codeOf(client.upload(startProcess(database, blobs)))).toBe('idempotency_key_in_use');
      await letClaimEnd(client);

      await expectOneFile(client, blobs);
    },
  );

  it('of a process that only seemed dead comes too late, and is tidied away', async () => {
    const [client, blobs] = [newClient(), memoryBlobStore()];
    const { promise: frozen, resolve: thaw } = Promise.withResolvers<void>();
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    const slow: BlobStore = {
      ...blobs,
      async upload(...call) {
        reach();
        await frozen;
        return blobs.upload(...call);
      },
    };
    const late = codeOf(client.upload(startProcess(database, slow)));
    await reached;
    await letClaimEnd(client);

    const inTime = await client.upload(startProcess(database, blobs));
    thaw();

    expect(await late).toBe('idempotency_key_in_use');
    expect(await rowsOf(client)).toContainEqual(
      expect.objectContaining({ id: (inTime.body as { id: string }).id, status: 'available' }),
    );
    await expectOneFile(client, blobs);
  });

  it('is done once by twenty that come at the same time', async () => {
    const [client, blobs] = [newClient(), memoryBlobStore()];
    const files = startProcess(database, blobs);

    const codes = await Promise.all(Array.from({ length: 20 }, () => codeOf(client.upload(files))));

    expect(codes.filter((code) => code !== 'done' && code !== 'idempotency_key_in_use')).toEqual([]);
    expect(codes).toContain('done');
    await expectOneFile(client, blobs);
  });

  it('whose client has gone leaves a row for the blob that is stored after that', async () => {
    const [client, blobs] = [newClient(), memoryBlobStore()];
    const gone = new AbortController();
    const { promise: landing, resolve: land } = Promise.withResolvers<void>();
    let landed: Promise<unknown> = Promise.resolve();
    /** It has all bytes when the connection ends, and goes on. */
    const slow: BlobStore = {
      ...blobs,
      async upload(name, bytes, options) {
        landed = landing.then(() => blobs.upload(name, bytes, { ...options, signal }));
        gone.abort(new Error('the client has gone'));
        throw gone.signal.reason;
      },
    };

    const left = await client.upload(startProcess(database, slow), gone.signal).catch((error) => error);
    land();
    await landed;

    expect(left).toEqual(new Error('the client has gone'));
    expect(await namesIn(blobs)).toHaveLength(1);
    await expectOneFile(client, blobs);
  });

  it('that was refused by storage can be sent again at once', async () => {
    const [client, blobs] = [newClient(), memoryBlobStore()];
    const without: BlobStore = { ...blobs, upload: () => Promise.reject(new Error('storage is away')) };

    const refused = await codeOf(client.upload(startProcess(database, without)));

    expect(refused).toBe('Error: storage is away');
    expect(await rowsOf(client)).toEqual([]);
    await expectOneFile(client, blobs);
  });
});
