import { describe, expect, it } from 'vitest';
import { rawSqlIn } from './checks/raw-sql.ts';
import { readSources } from './reading/project-files.ts';
import { parseSource } from './reading/source-file.ts';

/** Every place in `src` where text becomes SQL, with why nothing of a request can get there. */
const known: Readonly<Record<string, string>> = {
  'src/lib/backup/text/restore-dump.ts session.query': 'a dump that an operator restores',
  'src/lib/database/migrations/0002-crown-safe-tables.ts sql.raw':
    'columns and rules that stand in this file',
  'src/lib/database/migrations/0002-crown-safe-tables.ts sql.lit':
    'a comment that stands in this file; COMMENT takes no parameter',
  'src/lib/database/migrations/0003-blob-columns.ts sql.raw': 'columns that stand in this file',
  'src/lib/database/migrations/0005-performance-indexes.ts sql.raw':
    'definitions of indexes that stand in this file',
  'src/lib/database/migrations/0006-drop-s3-columns.ts sql.raw': 'columns that stand in this file',
  'src/lib/database/migrations/0011-audit-trail.ts sql.raw': 'columns that stand in this file',
  'src/lib/database/roles/apply-roles.ts sql.lit':
    'a note that stands in role-names.ts; COMMENT takes no parameter',
  'src/lib/database/roles/login.ts sql.lit':
    'a label with a checked GUID, quoted, and limits of this file; neither statement takes a parameter',
  'src/lib/database/roles/login.ts sql.raw': 'names of settings that stand in this file',
  'src/lib/database/roles/ownership.ts sql.raw':
    'kinds of this file, and names that PostgreSQL itself has quoted',
  'src/lib/database/sql-session.ts client.query':
    'statements of a dump that an operator restores, and of the dump engine',
  'src/lib/reports/reports.ts report.query': 'no SQL: the query of a report, of which Kysely makes it',
  'src/lib/reports/row-reader.ts sql.lit': 'a number of this file; FETCH takes no parameter',
};

const findIn = (text: string) =>
  rawSqlIn([parseSource('src/a.ts', text)]).map(({ what, line }) => `${what}:${line}`);

describe('text that becomes SQL', () => {
  it.each([
    [`sql\`select \${sql.raw(name)}\``, 'sql.raw:1'],
    [`sql\`select 1\nfrom \${sql.lit(name)}\``, 'sql.lit:2'],
    ["sql('select ' + name)", 'sql():1'],
    ["sql['raw'](name)", 'sql.raw:1'],
    ['const { raw } = sql;', 'sql.{}:1'],
    ['CompiledQuery.raw(text)', 'CompiledQuery.raw:1'],
    ['eb.lit(name)', 'eb.lit:1'],
    [`client.query(\`select \${name}\`)`, 'client.query:1'],
    ["pool.connect().query('select ' + name)", '….query:1'],
  ])('is found in %s', (text, found) => {
    expect(findIn(text)).toEqual([found]);
  });

  it.each([
    `sql\`select \${name}\``,
    `sql<Row>\`select \${sql.id(name)}, \${sql.ref(column)}\``,
    "db.selectFrom('files').where('id', '=', id)",
    "client.query('select 1')",
    'table.query({ partitionKey })',
    "const text = 'sql.raw(name)'; // sql.raw(name)",
  ])('is not found in %s', (text) => {
    expect(findIn(text)).toEqual([]);
  });

  it('is nowhere but where it is listed with a reason', () => {
    const places = rawSqlIn(readSources('src')).map(({ path, what }) => `${path} ${what}`);

    expect([...new Set(places)].toSorted()).toEqual(Object.keys(known).toSorted());
  });
});
