import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RestoreSession, restoreDump } from '../../../src/lib/backup/text/restore-dump.ts';
import { cut, trickyDump, trickyTables } from './dumps.ts';

const { signal } = new AbortController();

/** Notes what it is told to do. */
function recorder() {
  const statements: string[] = [];
  const copies: { statement: string; text: string }[] = [];
  const session: RestoreSession = {
    async query(sql) {
      statements.push(sql);
    },
    async copyIn(statement, rows) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of rows) chunks.push(chunk);
      copies.push({ statement, text: Buffer.concat(chunks).toString() });
    },
  };
  return { session, statements, copies };
}

const restore = (session: RestoreSession, text: string) =>
  restoreDump(session, Readable.from([Buffer.from(text)]), { signal });

describe('restoring a dump', () => {
  it('carries out statements and copies however the dump is cut', async () => {
    const expected = recorder();
    await restore(expected.session, trickyDump);

    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(trickyDump.length), { maxLength: 20 }), async (places) => {
        const { session, statements, copies } = recorder();

        const restored = await restoreDump(session, Readable.from(cut(trickyDump, places)), { signal });

        expect(restored.isComplete).toBe(true);
        expect(restored.tables).toEqual(trickyTables.map(({ name, rows }) => ({ name, rows })));
        expect(statements).toEqual(expected.statements);
        expect(copies).toEqual(expected.copies);
      }),
    );
    expect(expected.statements).toHaveLength(4);
    expect(expected.copies.map(({ statement }) => statement)).toEqual([
      'COPY app.users (id, name) FROM stdin',
      'COPY "Weird ""Schema"."T a.b" ("FROM stdin;", "(") FROM stdin',
      'COPY app.nothing  FROM stdin',
    ]);
    expect(expected.copies[1]?.text).toBe('-- PostgreSQL database dump complete\té €\n');
  });

  it.each(['\\connect other', '\\! rm -rf /', '\\set ON_ERROR_STOP on', '\\restrict', '\\i file.sql'])(
    'refuses the line %s, which only psql understands',
    async (line) => {
      const { session, statements } = recorder();

      const restoring = restore(session, `SELECT 1;\n${line}\nSELECT 2;\n`);

      await expect(restoring).rejects.toMatchObject({ name: 'RestoreError', code: 'not_restorable' });
      expect(statements).toEqual(['SELECT 1;']);
    },
  );

  it.each(['SELECT 1', 'COPY a.b (c) FROM stdin;\n1\n', 'COPY a.b (c) FROM stdin;', "SELECT 'open;\n"])(
    'fails when the dump ends in %j',
    async (text) => {
      await expect(restore(recorder().session, text)).rejects.toMatchObject({ code: 'dump_truncated' });
    },
  );

  it('tells that a dump without its closing line is not complete', async () => {
    expect(await restore(recorder().session, 'SELECT 1;\n')).toEqual({ tables: [], isComplete: false });
  });

  it('refuses a statement that is not UTF-8 instead of changing it', async () => {
    const latin1 = Readable.from([Buffer.from("SELECT 'caf\xe9';\n", 'latin1')]);

    const restoring = restoreDump(recorder().session, latin1, { signal });

    await expect(restoring).rejects.toMatchObject({ code: 'not_restorable' });
  });

  it('ends at once when a copy is refused, even while the dump has nothing to give', async () => {
    const refusal = new Error('refused');
    const { session } = recorder();
    const source = new Readable({ read() {} });
    source.push('COPY a.b (c) FROM stdin;\n1\n');
    const copyIn: RestoreSession['copyIn'] = async (_, rows) => {
      const iterator = rows[Symbol.asyncIterator]();
      await iterator.next();
      void iterator.next().catch(() => {});
      throw refusal;
    };

    await expect(restoreDump({ ...session, copyIn }, source, { signal })).rejects.toBe(refusal);
    expect(source.destroyed).toBe(true);
  });

  it('ends with the reason of an abort while it waits for the dump', async () => {
    const abort = new AbortController();
    const source = new Readable({ read() {} });
    source.push('SELECT 1;\n');

    const restoring = restoreDump(recorder().session, source, { signal: abort.signal });
    abort.abort(new Error('enough'));

    await expect(restoring).rejects.toThrow('enough');
  });
});
