import { createHash } from 'node:crypto';

/** A dump that holds what looks like something else: statements in data, data in statements. */
export const trickyDump = `--
-- PostgreSQL database dump
--

\\restrict abc

-- Dumped from database version 18.4
-- Dumped by pg_dump version 18.3

SET client_encoding = 'UTF8';

CREATE FUNCTION app.copies() RETURNS text LANGUAGE plpgsql AS $body$
begin
  return $in$
COPY app.users (id) FROM stdin;
1
\\.
-- PostgreSQL database dump complete
$in$;
end $body$;

COMMENT ON TABLE app.users IS 'quoted
COPY app.users (id) FROM stdin;
2
\\.
';

COPY app.users (id, name) FROM stdin;
1\tCOPY app.users (id) FROM stdin;
2\t\\N
3\t\\\\.
4\t'"$x$ /* (
\\.


COPY "Weird ""Schema"."T a.b" ("FROM stdin;", "(") FROM stdin;
-- PostgreSQL database dump complete\té €
\\.


COPY app.nothing  FROM stdin;
\\.


SELECT pg_catalog.setval('app.seq', 1, false);


--
-- PostgreSQL database dump complete
--

\\unrestrict abc

`;

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** What {@link trickyDump} holds. */
export const trickyTables = [
  {
    name: 'app.users',
    rows: 4,
    contentHash: sha256('1\tCOPY app.users (id) FROM stdin;\n2\t\\N\n3\t\\\\.\n4\t\'"$x$ /* (\n'),
  },
  {
    name: 'Weird "Schema.T a.b',
    rows: 1,
    contentHash: sha256('-- PostgreSQL database dump complete\té €\n'),
  },
  { name: 'app.nothing', rows: 0, contentHash: sha256('') },
];

/** Cuts a text into chunks at the given places. */
export function cut(text: string | Buffer, places: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const ends = [...places, bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}
