import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeQuery } from '../../../src/lib/database/query-text.ts';

const queryText = (sql: string) => describeQuery(sql).text;

describe('the text of a statement', () => {
  it.each([
    ['select "id" from "files" where "id" = $1', 'select "id" from "files" where "id" = $1'],
    ["select 'secret', 12.5e-3 from t1", 'select ?, ?-? from t1'],
    ["select 'it''s -- secret' as \"it's\"", 'select ? as "it\'s"'],
    ["select E'a\\'secret' || e'\\\\' || 'b'", 'select ? || ? || ?'],
    ['select $$secret$$, $tag$ $$ secret $tag$, $2', 'select ?, ?, $2'],
    ['select 1 -- secret\n, 2 /* secret\n */ from t', 'select ? , ? from t'],
    ["set role 'secret", 'set role ?'],
    ['select $a$secret', 'select ?'],
    ['select $q1$secret$q1$, $ą$ secret $ą$', 'select ?, ?'],
    ['select 1 /* secret', 'select ?'],
    ['select 1 /* a /* b */ secret */ from t', 'select ?'],
    ['select 1 /* a */, b /* c */ from t', 'select ? , b from t'],
    ["select E'a'\n  'b\\'secret' from t", 'select ? from t'],
    ["select 'a'\n 'secret' from t", 'select ? ? from t'],
    ["select e'\\\\', 'secret' from t", 'select ?, ? from t'],
    ['select "a" in (1, -2, \'secret\', $1) from t', 'select "a" in (?, -?, ?, $1) from t'],
    ["select x'ff', b'01', U&'secret', date '2026-01-01'", 'select x?, b?, U&?, date ?'],
    ['select "unended', 'select "unended'],
    ['insert  into\n  t (a1) values (0x1F, 1_000, .5)', 'insert into t (a1) values (?, ?, .?)'],
    ["select zażółć from ąę1 where a = 'ś'", 'select zażółć from ąę1 where a = ?'],
  ])('turns %j into %j', (sql, text) => {
    expect(queryText(sql)).toBe(text);
  });

  it('never shows a value that is written in, however it is written', () => {
    const literals = (value: string) => [
      `'${value.replaceAll("'", "''")}'`,
      `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`,
      `E'a'\n'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`,
      `$q$${value.replaceAll('$', '')}$q$`,
    ];
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), fc.string({ maxLength: 40 }), (before, after) => {
        for (const literal of literals(`${before}hunter2${after}`))
          expect(queryText(`select "a" from b where c = ${literal} and d = $1`)).toBe(
            'select "a" from b where c = ? and d = $1',
          );
      }),
    );
  });

  it.each([0, 1, 2, 3])(
    'never shows a value that is cut off inside of an escape, %i characters later',
    (n) => {
      expect(queryText(`select ${' '.repeat(n)}E'${"ab\\'".repeat(3_000)}'`)).toBe('select ?');
    },
  );

  it('is short, also for a value that does not end in what is looked at', () => {
    expect(queryText(`select '${'secret '.repeat(100_000)}`)).toBe('select ?');
    expect(queryText(`select ${'a, '.repeat(10_000)}`).length).toBe(1_024);
  });
});

describe('the summary of a statement', () => {
  it.each([
    ['select "a" from "files" as "f" where', { operation: 'SELECT', table: 'files' }],
    ['insert into "jobs" ("id")', { operation: 'INSERT', table: 'jobs' }],
    ['update "files" set', { operation: 'UPDATE', table: 'files' }],
    ['delete from api_keys', { operation: 'DELETE', table: 'api_keys' }],
    ['select extract(epoch from "at") from "jobs"', { operation: 'SELECT', table: 'jobs' }],
    ['select a is distinct from b from "jobs"', { operation: 'SELECT', table: 'jobs' }],
    ['begin', { operation: 'BEGIN' }],
    ['with "x" as (select ?) select * from x', { operation: 'WITH', table: 'x' }],
    ['(select ?)', { operation: 'QUERY' }],
  ])('says of %j what it does', (text, summary) => {
    expect(describeQuery(text)).toEqual({ text, ...summary });
  });
});
