import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { querySummary, queryText } from '../../../src/lib/database/query-text.ts';

describe('queryText', () => {
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

  it('is short, also for a value that does not end in what is looked at', () => {
    expect(queryText(`select '${'secret '.repeat(100_000)}`)).toBe('select ?');
    expect(queryText(`select ${'a, '.repeat(10_000)}`).length).toBe(1_024);
  });
});

describe('querySummary', () => {
  it.each([
    ['select "a" from "files" as "f" where', { operation: 'SELECT', table: 'files' }],
    ['insert into "jobs" ("id")', { operation: 'INSERT', table: 'jobs' }],
    ['update "files" set', { operation: 'UPDATE', table: 'files' }],
    ['delete from api_keys', { operation: 'DELETE', table: 'api_keys' }],
    ['begin', { operation: 'BEGIN' }],
    ['with "x" as (select ?) select * from x', { operation: 'WITH', table: 'x' }],
    ['(select ?)', { operation: 'QUERY' }],
  ])('says of %j what it does', (text, summary) => {
    expect(querySummary(text)).toEqual(summary);
  });
});
