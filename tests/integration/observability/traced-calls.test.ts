import { randomUUID } from 'node:crypto';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../../src/lib/core/index.ts';
import { sql } from '../../../src/lib/database/index.ts';
import { startInvocationSpan, withSpan } from '../../../src/lib/observability/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { openDatabase } from '../../support/databases.ts';
import { recordTelemetry } from '../../support/recording-destination.ts';
import { openStorage } from '../storage/open-storage.ts';

const { signal } = new AbortController();

/** The spans inside of a piece of work, by name. */
async function spansOf(work: () => Promise<unknown>) {
  await using recorded = await recordTelemetry();
  await withSpan('root', {}, work);
  await recorded.telemetry.flush();
  return recorded.spans.filter(({ name }) => name !== 'root');
}

describe('a statement', () => {
  it('is a span without parameters and without what was written into its text', async () => {
    await using stack = new AsyncDisposableStack();
    const database = openDatabase(inject('databaseUrl'), createResilience({ clock: systemClock }));
    stack.defer(() => database.close());

    const spans = await spansOf(() =>
      database.read('ask', signal, (db) =>
        sql`select ${'hunter2'}::text as "a", ${sql.lit("hunt'er3")} as b, 4711 as c from pg_class limit 1`.execute(
          db,
        ),
      ),
    );

    expect(spans).toMatchObject([
      {
        name: 'SELECT pg_class',
        kind: SpanKind.CLIENT,
        status: { code: SpanStatusCode.UNSET },
        attributes: {
          'db.system.name': 'postgresql',
          'db.namespace': new URL(inject('databaseUrl')).pathname.slice(1),
          'db.operation.name': 'SELECT',
          'db.collection.name': 'pg_class',
          'db.query.text': 'select $1::text as "a", ? as b, ? as c from pg_class limit ?',
          'server.address': '127.0.0.1',
          'server.port': Number(new URL(inject('databaseUrl')).port),
        },
      },
    ]);
  });

  it('that fails says how by its code, and not what it was about', async () => {
    await using stack = new AsyncDisposableStack();
    const database = openDatabase(inject('databaseUrl'), createResilience({ clock: systemClock }));
    stack.defer(() => database.close());

    const spans = await spansOf(() =>
      database
        .transaction('ask', signal, (trx) => sql`select ${'hunter2'}::text::uuid`.execute(trx))
        .catch(() => undefined),
    );

    expect(spans.map(({ name, status: { code } }) => [name, code])).toEqual([
      ['BEGIN', SpanStatusCode.UNSET],
      ['SELECT', SpanStatusCode.ERROR],
      ['ROLLBACK', SpanStatusCode.UNSET],
    ]);
    expect(spans[1]?.attributes).toMatchObject({ 'error.type': '22P02', 'db.response.status_code': '22P02' });
    expect(
      JSON.stringify(spans.map(({ attributes, status, events }) => ({ attributes, status, events }))),
    ).not.toContain('hunter2');
  });

  it('outside of anything that is traced is none', async () => {
    await using recorded = await recordTelemetry();
    const database = openDatabase(inject('databaseUrl'), createResilience({ clock: systemClock }));

    await database.read('ask', signal, (db) => sql`select 1`.execute(db));
    await database.close();
    await recorded.telemetry.flush();

    expect(recorded.spans).toEqual([]);
  });
});

describe('a call to storage', () => {
  it('is a span with its outcome, also where a container has to be made first', async () => {
    const container = `traced-${randomUUID()}`;
    const store = openStorage().storage.blobs(container);

    const spans = await spansOf(() =>
      store.upload('secret/name', Buffer.from('a'), { contentType: 'image/png', signal }),
    );

    const outcomes = spans.map(({ name, kind, attributes }) => [
      name,
      kind,
      attributes['http.response.status_code'],
    ]);
    expect(outcomes).toEqual([
      ['blob create', SpanKind.CLIENT, 201],
      ['blob put blob', SpanKind.CLIENT, 201],
    ]);
    expect(spans[1]?.attributes).toMatchObject({
      'azure.resource_provider.namespace': 'Microsoft.Storage',
      'azure.service.request.id': expect.any(String),
      'crownsafe.storage.operation': 'put blob',
      'crownsafe.storage.container': container,
    });
    expect(JSON.stringify(spans.map(({ attributes }) => attributes))).not.toContain('secret');
  });

  it('that finds nothing is no failure, and one that is refused is', async () => {
    const store = openStorage().storage.blobs(`traced-${randomUUID()}`);
    const upload = (bytes: string) =>
      store.upload('a', Buffer.from(bytes), { contentType: 'image/png', onlyIfAbsent: true, signal });
    await upload('a');

    const spans = await spansOf(async () => {
      await store.head('missing', { signal });
      await upload('b').catch(() => {});
    });

    const outcomes = spans.map(({ name, status, attributes }) => ({
      name,
      code: status.code,
      status: attributes['http.response.status_code'],
      error: attributes['error.type'],
    }));
    expect(outcomes).toEqual([
      { name: 'blob head blob', code: SpanStatusCode.UNSET, status: 404, error: undefined },
      { name: 'blob put blob', code: SpanStatusCode.ERROR, status: 409, error: 'BlobAlreadyExists' },
    ]);
  });

  it('of a table and a queue is one, too, and so is a ping', async () => {
    const { storage } = openStorage();
    const name = `t${randomUUID().replaceAll('-', '')}`;

    const spans = await spansOf(async () => {
      await storage.table(name).get('p', 'r', { signal });
      await storage.queue(name).send('{}', { signal });
      await storage.ping('absent', signal);
    });

    const outcomes = spans.map(({ name, attributes }) => [name, attributes['http.response.status_code']]);
    expect(outcomes).toEqual(
      expect.arrayContaining([
        ['table get entity', 404],
        ['queue send message', 201],
        ['blob ping', 404],
      ]),
    );
  });
});

describe('what goes on outside of anything that is traced', () => {
  it('is no span of storage either', async () => {
    await using recorded = await recordTelemetry();

    await openStorage().storage.blobs(`traced-${randomUUID()}`).head('a', { signal });
    await recorded.telemetry.flush();

    expect(recorded.spans).toEqual([]);
  });
});

describe('many requests at once', () => {
  it('keep their spans apart, also where they wait for one another, and in streams', async () => {
    await using recorded = await recordTelemetry();
    await using stack = new AsyncDisposableStack();
    const database = openDatabase(inject('databaseUrl'), createResilience({ clock: systemClock }));
    stack.defer(() => database.close());
    // More than there are connections and places in the bulkheads.
    const traceIds = Array.from({ length: 24 }, () => randomUUID().replaceAll('-', ''));
    const container = `traced-${randomUUID()}`;
    const blobs = openStorage().storage.blobs(container);

    const serve = async (traceId: string) => {
      const name = `n${traceId}`;
      await database.transaction('ask', signal, async (trx) => {
        await sql`select pg_sleep(0.01) as ${sql.ref(name)}`.execute(trx);
        await blobs.upload(name, Buffer.alloc(200_000), { contentType: 'image/png', signal });
      });
      const { body } = await blobs.download(name, { signal });
      for await (const _ of body) await Promise.resolve();
      await database.read('ask', signal, (db) => sql`select 1 as ${sql.ref(name)}`.execute(db));
    };
    await Promise.all(
      traceIds.map(async (traceId) => {
        const cause = { traceparent: `00-${traceId}-${'5'.repeat(16)}-01` };
        const correlationId = `c-${traceId}`;
        const root = startInvocationSpan({
          trigger: 'http',
          name: 'root',
          correlationId,
          attributes: {},
          cause,
        });
        await root.run(() => serve(traceId));
        root.end();
      }),
    );
    await recorded.telemetry.flush();

    const namesIn = (traceId: string) =>
      recorded.spans.filter((span) => span.spanContext().traceId === traceId).map(({ name }) => name);
    const mixed = recorded.spans.filter((span) => {
      const [named] = /(?<=n)[0-9a-f]{32}/.exec(String(span.attributes['db.query.text'])) ?? [];
      return named !== undefined && named !== span.spanContext().traceId;
    });
    expect(mixed).toEqual([]);
    expect(new Set(recorded.spans.map((span) => span.spanContext().traceId))).toEqual(new Set(traceIds));
    for (const traceId of traceIds)
      expect(namesIn(traceId).filter((name) => name !== 'blob create')).toEqual([
        'BEGIN',
        'SELECT',
        'blob put blob',
        'COMMIT',
        'blob read blob',
        'SELECT',
        'root',
      ]);
  });
});
