import { describe, expect, it } from 'vitest';
import { createStatementLexer } from '../../../src/lib/backup/text/statement-lexer.ts';

/** The first statement of the text; undefined when it does not end. */
function firstStatement(text: string): string | undefined {
  const bytes = Buffer.from(text);
  const lexer = createStatementLexer();
  for (let at = 0; at < bytes.length; at++) {
    if (lexer.step(bytes[at] ?? -1, bytes[at + 1] ?? -1)) return bytes.toString('utf8', 0, at + 1);
  }
  return undefined;
}

describe('a statement', () => {
  it.each([
    ['a string', "SELECT 'a;b';"],
    ['a doubled quote', "SELECT 'it''s; fine';"],
    ['a string that ends in a backslash', "SELECT 'back\\';"],
    ['an escape string', "SELECT E'it\\'s; fine';"],
    ['a doubled quote in an escape string', "SELECT e'a''b\\';c';"],
    ['a name that ends in e before a string', "SELECT date'back\\';"],
    ['a quoted name', 'SELECT "a;""b;";'],
    ['a dollar string', 'SELECT $$a;b$$;'],
    ['a tagged dollar string', 'SELECT $tag_1$a;$$;$tag$;$tag_1$;'],
    ['a dollar string that nearly ends', 'SELECT $a$;$$a$;'],
    ['a tag of other letters', 'SELECT $é$;$é$;'],
    ['a line comment', 'SELECT 1 -- not; yet\n;'],
    ['a block comment', 'SELECT 1 /* not; /* nested; */ yet; */;'],
    ['parentheses', 'CREATE RULE r AS ON UPDATE TO t DO ALSO (SELECT 1; SELECT 2);'],
    ['a body', 'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;'],
    [
      'a body with CASE',
      'create or replace procedure p() begin atomic select case when 1=1 then 2 end; end;',
    ],
  ])('does not end at a semicolon inside %s', (_, statement) => {
    expect(firstStatement(`${statement} SELECT 'next';`)).toBe(statement);
  });

  it.each([
    ['a parameter', 'SELECT $1;'],
    ['a name with dollars', 'SELECT a$b$ FROM t;'],
    ['minus and divide', 'SELECT 4 - 2 / 1 * 3;'],
    ['words of blocks elsewhere', 'BEGIN;'],
    ['CASE outside of a body', 'SELECT CASE WHEN a THEN b END;'],
    ['a parenthesis too many', 'SELECT 1);'],
  ])('ends behind %s', (_, statement) => {
    expect(firstStatement(`${statement} SELECT 'next';`)).toBe(statement);
  });

  it.each(["SELECT 'open;", 'SELECT $a$;$b$;', 'SELECT /* ;', 'SELECT (1;', 'SELECT 1'])(
    'does not end in %s',
    (text) => {
      expect(firstStatement(text)).toBeUndefined();
    },
  );
});
