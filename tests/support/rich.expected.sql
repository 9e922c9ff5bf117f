--
-- PostgreSQL database dump
--



SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: Weird "Schema; Type: SCHEMA; Schema: -; Owner: postgres
--

CREATE SCHEMA "Weird ""Schema";


ALTER SCHEMA "Weird ""Schema" OWNER TO postgres;

--
-- Name: app; Type: SCHEMA; Schema: -; Owner: rich_admin
--

CREATE SCHEMA app;


ALTER SCHEMA app OWNER TO rich_admin;

--
-- Name: SCHEMA app; Type: COMMENT; Schema: -; Owner: rich_admin
--

COMMENT ON SCHEMA app IS 'app; it''s';


--
-- Name: ci; Type: COLLATION; Schema: app; Owner: postgres
--

CREATE COLLATION app.ci (provider = icu, deterministic = false, locale = 'und-u-ks-level2');


ALTER COLLATION app.ci OWNER TO postgres;

--
-- Name: btree_gist; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;


--
-- Name: EXTENSION btree_gist; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION btree_gist IS 'support for indexing common datatypes in GiST';


--
-- Name: citext; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;


--
-- Name: EXTENSION citext; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION citext IS 'data type for case-insensitive character strings';


--
-- Name: pg_trgm; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;


--
-- Name: EXTENSION pg_trgm; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION pg_trgm IS 'text similarity measurement and index searching based on trigrams';


--
-- Name: pgcrypto; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA public;


--
-- Name: EXTENSION pgcrypto; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION pgcrypto IS 'cryptographic functions';


--
-- Name: addr; Type: TYPE; Schema: app; Owner: postgres
--

CREATE TYPE app.addr AS (
	street text,
	zip character varying(10)
);


ALTER TYPE app.addr OWNER TO postgres;

--
-- Name: email; Type: DOMAIN; Schema: app; Owner: postgres
--

CREATE DOMAIN app.email AS public.citext NOT NULL
	CONSTRAINT email_check CHECK ((VALUE OPERATOR(public.~) '@'::public.citext));


ALTER DOMAIN app.email OWNER TO postgres;

--
-- Name: fr; Type: TYPE; Schema: app; Owner: postgres
--

CREATE TYPE app.fr AS RANGE (
    subtype = double precision,
    multirange_type_name = app.fr_multirange
);


ALTER TYPE app.fr OWNER TO postgres;

--
-- Name: status; Type: TYPE; Schema: app; Owner: postgres
--

CREATE TYPE app.status AS ENUM (
    'new',
    'in''prog',
    'done'
);


ALTER TYPE app.status OWNER TO postgres;

--
-- Name: TYPE status; Type: COMMENT; Schema: app; Owner: postgres
--

COMMENT ON TYPE app.status IS 'st';


--
-- Name: castst(app.status); Type: FUNCTION; Schema: app; Owner: postgres
--

CREATE FUNCTION app.castst(app.status) RETURNS integer
    LANGUAGE sql IMMUTABLE
    AS $$select 1$$;


ALTER FUNCTION app.castst(app.status) OWNER TO postgres;

--
-- Name: CAST (app.status AS integer); Type: CAST; Schema: -; Owner: -
--

CREATE CAST (app.status AS integer) WITH FUNCTION app.castst(app.status) AS ASSIGNMENT;


--
-- Name: copies(); Type: FUNCTION; Schema: app; Owner: postgres
--

CREATE FUNCTION app.copies() RETURNS text
    LANGUAGE plpgsql
    AS $_$
begin
  return $in$
COPY app.users (id) FROM stdin;
1
\.
-- PostgreSQL database dump complete
$in$;
end $_$;


ALTER FUNCTION app.copies() OWNER TO postgres;

--
-- Name: eqx(app.addr, app.addr); Type: FUNCTION; Schema: app; Owner: postgres
--

CREATE FUNCTION app.eqx(app.addr, app.addr) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $_$select $1.zip = $2.zip$_$;


ALTER FUNCTION app.eqx(app.addr, app.addr) OWNER TO postgres;

--
-- Name: etf(); Type: FUNCTION; Schema: app; Owner: postgres
--

CREATE FUNCTION app.etf() RETURNS event_trigger
    LANGUAGE plpgsql
    AS $$ begin end $$;


ALTER FUNCTION app.etf() OWNER TO postgres;

--
-- Name: f1(integer, text, integer[]); Type: FUNCTION; Schema: app; Owner: rich_admin
--

CREATE FUNCTION app.f1(a integer, b text DEFAULT 'q''q'::text, VARIADIC c integer[] DEFAULT '{}'::integer[]) RETURNS TABLE(x integer, y text)
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $_$ select a, b || $$x$$; $_$;


ALTER FUNCTION app.f1(a integer, b text, VARIADIC c integer[]) OWNER TO rich_admin;

--
-- Name: f2(integer); Type: FUNCTION; Schema: app; Owner: postgres
--

CREATE FUNCTION app.f2(integer) RETURNS integer
    LANGUAGE plpgsql STRICT SECURITY DEFINER COST 50
    SET search_path TO 'app', 'pg_temp'
    AS $_$ begin if $1 > 0 then return 1; end if; return 0; end; $_$;


ALTER FUNCTION app.f2(integer) OWNER TO postgres;

--
-- Name: f3(integer); Type: FUNCTION; Schema: app; Owner: postgres
--

CREATE FUNCTION app.f3(a integer) RETURNS integer
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT
         CASE
             WHEN (a > 0) THEN (a + 1)
             ELSE 0
         END AS "case";
 SELECT (a + 2);
END;


ALTER FUNCTION app.f3(a integer) OWNER TO postgres;

--
-- Name: p1(integer); Type: PROCEDURE; Schema: app; Owner: postgres
--

CREATE PROCEDURE app.p1(INOUT a integer)
    LANGUAGE plpgsql
    AS $$ begin a := a + 1; commit; end $$;


ALTER PROCEDURE app.p1(INOUT a integer) OWNER TO postgres;

--
-- Name: trgf(); Type: FUNCTION; Schema: app; Owner: postgres
--

CREATE FUNCTION app.trgf() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ begin return new; end $$;


ALTER FUNCTION app.trgf() OWNER TO postgres;

--
-- Name: agg(integer); Type: AGGREGATE; Schema: app; Owner: postgres
--

CREATE AGGREGATE app.agg(integer) (
    SFUNC = int4pl,
    STYPE = integer,
    INITCOND = '0',
    COMBINEFUNC = int4pl,
    PARALLEL = safe
);


ALTER AGGREGATE app.agg(integer) OWNER TO postgres;

--
-- Name: ===; Type: OPERATOR; Schema: app; Owner: postgres
--

CREATE OPERATOR app.=== (
    FUNCTION = app.eqx,
    LEFTARG = app.addr,
    RIGHTARG = app.addr,
    COMMUTATOR = OPERATOR(app.===)
);


ALTER OPERATOR app.=== (app.addr, app.addr) OWNER TO postgres;

--
-- Name: tsc; Type: TEXT SEARCH CONFIGURATION; Schema: app; Owner: postgres
--

CREATE TEXT SEARCH CONFIGURATION app.tsc (
    PARSER = pg_catalog."default" );

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR asciiword WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR word WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR numword WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR email WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR url WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR host WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR sfloat WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR version WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR hword_numpart WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR hword_part WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR hword_asciipart WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR numhword WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR asciihword WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR hword WITH english_stem;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR url_path WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR file WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR "float" WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR "int" WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR uint WITH simple;


ALTER TEXT SEARCH CONFIGURATION app.tsc OWNER TO postgres;

--
-- Name: fdw; Type: FOREIGN DATA WRAPPER; Schema: -; Owner: postgres
--

CREATE FOREIGN DATA WRAPPER fdw;


ALTER FOREIGN DATA WRAPPER fdw OWNER TO postgres;

--
-- Name: srv; Type: SERVER; Schema: -; Owner: postgres
--

CREATE SERVER srv FOREIGN DATA WRAPPER fdw OPTIONS (
    host 'h'
);


ALTER SERVER srv OWNER TO postgres;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: T a.b; Type: TABLE; Schema: Weird "Schema; Owner: postgres
--

CREATE TABLE "Weird ""Schema"."T a.b" (
    "col ""x" integer,
    "select" text,
    "FROM stdin;" text
);


ALTER TABLE "Weird ""Schema"."T a.b" OWNER TO postgres;

--
-- Name: parent; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.parent (
    a integer,
    b text DEFAULT 'p'::text
);


ALTER TABLE app.parent OWNER TO postgres;

--
-- Name: child; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.child (
    a integer DEFAULT 5,
    c integer
)
INHERITS (app.parent);


ALTER TABLE app.child OWNER TO postgres;

--
-- Name: ev; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.ev (
    ts timestamp with time zone NOT NULL,
    k integer NOT NULL,
    v text
)
PARTITION BY RANGE (ts);


ALTER TABLE app.ev OWNER TO postgres;

--
-- Name: ev_2025; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.ev_2025 (
    ts timestamp with time zone CONSTRAINT ev_ts_not_null NOT NULL,
    k integer CONSTRAINT ev_k_not_null NOT NULL,
    v text
)
PARTITION BY LIST (k);


ALTER TABLE app.ev_2025 OWNER TO postgres;

--
-- Name: ev_2025_1; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.ev_2025_1 (
    ts timestamp with time zone CONSTRAINT ev_ts_not_null NOT NULL,
    k integer CONSTRAINT ev_k_not_null NOT NULL,
    v text
);


ALTER TABLE app.ev_2025_1 OWNER TO postgres;

--
-- Name: ev_def; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.ev_def (
    ts timestamp with time zone CONSTRAINT ev_ts_not_null NOT NULL,
    k integer CONSTRAINT ev_k_not_null NOT NULL,
    v text
);


ALTER TABLE app.ev_def OWNER TO postgres;

--
-- Name: ft; Type: FOREIGN TABLE; Schema: app; Owner: postgres
--

CREATE FOREIGN TABLE app.ft (
    a integer
)
SERVER srv
OPTIONS (
    t 'x'
);
ALTER FOREIGN TABLE ONLY app.ft ALTER COLUMN a OPTIONS (
    c 'd'
);


ALTER FOREIGN TABLE app.ft OWNER TO postgres;

--
-- Name: users; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.users (
    id bigint NOT NULL,
    mail app.email,
    name text NOT NULL COLLATE app.ci,
    st app.status DEFAULT 'new'::app.status,
    addr app.addr,
    tags text[] DEFAULT '{a,"b c"}'::text[],
    created timestamp with time zone DEFAULT '2025-01-01 00:00:00+00'::timestamp with time zone,
    full_name text GENERATED ALWAYS AS (upper(name)) STORED,
    virt integer GENERATED ALWAYS AS (length(name)),
    bal numeric(12,2) DEFAULT 0,
    period tstzrange,
    js jsonb DEFAULT '{}'::jsonb,
    ip inet,
    u uuid DEFAULT '00000000-0000-4000-8000-000000000000'::uuid,
    f8 double precision,
    bt bytea,
    CONSTRAINT users_bal_check CHECK ((bal >= (0)::numeric))
)
WITH (fillfactor='70', autovacuum_enabled='false');
ALTER TABLE ONLY app.users ALTER COLUMN name SET STATISTICS 500;
ALTER TABLE ONLY app.users ALTER COLUMN name SET STORAGE EXTERNAL;
ALTER TABLE ONLY app.users ALTER COLUMN js SET COMPRESSION pglz;


ALTER TABLE app.users OWNER TO postgres;

--
-- Name: TABLE users; Type: COMMENT; Schema: app; Owner: postgres
--

COMMENT ON TABLE app.users IS 'multi
line';


--
-- Name: COLUMN users.name; Type: COMMENT; Schema: app; Owner: postgres
--

COMMENT ON COLUMN app.users.name IS 'nm';


--
-- Name: mv; Type: MATERIALIZED VIEW; Schema: app; Owner: postgres
--

CREATE MATERIALIZED VIEW app.mv AS
 SELECT st,
    count(*) AS c
   FROM app.users
  GROUP BY st
  WITH NO DATA;


ALTER MATERIALIZED VIEW app.mv OWNER TO postgres;

--
-- Name: nothing; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.nothing (
);


ALTER TABLE app.nothing OWNER TO postgres;

--
-- Name: orders; Type: TABLE; Schema: app; Owner: rich_admin
--

CREATE TABLE app.orders (
    id integer NOT NULL,
    uid bigint NOT NULL,
    amt money,
    d date,
    note2 text DEFAULT 'x'::text NOT NULL
);

ALTER TABLE ONLY app.orders REPLICA IDENTITY FULL;


ALTER TABLE app.orders OWNER TO rich_admin;

--
-- Name: orders_id_seq; Type: SEQUENCE; Schema: app; Owner: rich_admin
--

CREATE SEQUENCE app.orders_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER SEQUENCE app.orders_id_seq OWNER TO rich_admin;

--
-- Name: orders_id_seq; Type: SEQUENCE OWNED BY; Schema: app; Owner: rich_admin
--

ALTER SEQUENCE app.orders_id_seq OWNED BY app.orders.id;


--
-- Name: rv; Type: VIEW; Schema: app; Owner: postgres
--

CREATE VIEW app.rv AS
 WITH RECURSIVE rv(n) AS (
         VALUES (1)
        UNION ALL
         SELECT (rv_1.n + 1)
           FROM rv rv_1
          WHERE (rv_1.n < 5)
        )
 SELECT n
   FROM rv;


ALTER VIEW app.rv OWNER TO postgres;

--
-- Name: seq1; Type: SEQUENCE; Schema: app; Owner: postgres
--

CREATE SEQUENCE app.seq1
    AS integer
    START WITH 100
    INCREMENT BY 7
    NO MINVALUE
    MAXVALUE 100000
    CACHE 5
    CYCLE;


ALTER SEQUENCE app.seq1 OWNER TO postgres;

--
-- Name: traps; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.traps (
    id integer NOT NULL,
    t text
);


ALTER TABLE app.traps OWNER TO postgres;

--
-- Name: ul; Type: TABLE; Schema: app; Owner: postgres
--

CREATE UNLOGGED TABLE app.ul (
    a integer
);


ALTER TABLE app.ul OWNER TO postgres;

--
-- Name: users_id_seq; Type: SEQUENCE; Schema: app; Owner: postgres
--

ALTER TABLE app.users ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME app.users_id_seq
    START WITH 10
    INCREMENT BY 2
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: v1; Type: VIEW; Schema: app; Owner: postgres
--

CREATE VIEW app.v1 AS
SELECT
    NULL::bigint AS id,
    NULL::text COLLATE app.ci AS name,
    NULL::money AS s;


ALTER VIEW app.v1 OWNER TO postgres;

--
-- Name: v2; Type: VIEW; Schema: app; Owner: postgres
--

CREATE VIEW app.v2 AS
 SELECT id,
    name
   FROM app.users
  WHERE (id > 1)
  WITH CASCADED CHECK OPTION;


ALTER VIEW app.v2 OWNER TO postgres;

--
-- Name: v3; Type: VIEW; Schema: app; Owner: postgres
--

CREATE VIEW app.v3 AS
 SELECT 'back\slash '' quote; --'::text AS a,
    'COPY x FROM stdin;'::text AS b;


ALTER VIEW app.v3 OWNER TO postgres;

--
-- Name: ev_2025; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.ev ATTACH PARTITION app.ev_2025 FOR VALUES FROM ('2025-01-01 00:00:00+00') TO ('2026-01-01 00:00:00+00');


--
-- Name: ev_2025_1; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.ev_2025 ATTACH PARTITION app.ev_2025_1 FOR VALUES IN (1, 2);


--
-- Name: ev_def; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.ev ATTACH PARTITION app.ev_def DEFAULT;


--
-- Name: child b; Type: DEFAULT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.child ALTER COLUMN b SET DEFAULT 'p'::text;


--
-- Name: orders id; Type: DEFAULT; Schema: app; Owner: rich_admin
--

ALTER TABLE ONLY app.orders ALTER COLUMN id SET DEFAULT nextval('app.orders_id_seq'::regclass);


--
-- Data for Name: T a.b; Type: TABLE DATA; Schema: Weird "Schema; Owner: postgres
--

COPY "Weird ""Schema"."T a.b" ("col ""x", "select", "FROM stdin;") FROM stdin;
1	\\.	\N
2	\\N	é €
\.


--
-- Data for Name: child; Type: TABLE DATA; Schema: app; Owner: postgres
--

COPY app.child (a, b, c) FROM stdin;
1	two	3
\.


--
-- Data for Name: ev_2025_1; Type: TABLE DATA; Schema: app; Owner: postgres
--

COPY app.ev_2025_1 (ts, k, v) FROM stdin;
2025-05-05 00:00:00+00	1	x
\.


--
-- Data for Name: ev_def; Type: TABLE DATA; Schema: app; Owner: postgres
--

COPY app.ev_def (ts, k, v) FROM stdin;
2024-01-01 00:00:00+00	9	\N
\.


--
-- Data for Name: nothing; Type: TABLE DATA; Schema: app; Owner: postgres
--

COPY app.nothing  FROM stdin;

\.


--
-- Data for Name: orders; Type: TABLE DATA; Schema: app; Owner: rich_admin
--

COPY app.orders (id, uid, amt, d, note2) FROM stdin;
1	10	$1.00	2025-01-02	x
2	10	$2.00	2025-01-03	x
3	10	$3.00	2025-01-04	x
4	10	$4.00	2025-01-05	x
5	10	$5.00	2025-01-06	x
6	10	$6.00	2025-01-07	x
7	10	$7.00	2025-01-08	x
8	10	$8.00	2025-01-09	x
9	10	$9.00	2025-01-10	x
10	10	$10.00	2025-01-11	x
11	10	$11.00	2025-01-12	x
12	10	$12.00	2025-01-13	x
13	10	$13.00	2025-01-14	x
14	10	$14.00	2025-01-15	x
15	10	$15.00	2025-01-16	x
16	10	$16.00	2025-01-17	x
17	10	$17.00	2025-01-18	x
18	10	$18.00	2025-01-19	x
19	10	$19.00	2025-01-20	x
20	10	$20.00	2025-01-21	x
21	10	$21.00	2025-01-22	x
22	10	$22.00	2025-01-23	x
23	10	$23.00	2025-01-24	x
24	10	$24.00	2025-01-25	x
25	10	$25.00	2025-01-26	x
26	10	$26.00	2025-01-27	x
27	10	$27.00	2025-01-28	x
28	10	$28.00	2025-01-29	x
29	10	$29.00	2025-01-30	x
30	10	$30.00	2025-01-31	x
31	10	$31.00	2025-02-01	x
32	10	$32.00	2025-02-02	x
33	10	$33.00	2025-02-03	x
34	10	$34.00	2025-02-04	x
35	10	$35.00	2025-02-05	x
36	10	$36.00	2025-02-06	x
37	10	$37.00	2025-02-07	x
38	10	$38.00	2025-02-08	x
39	10	$39.00	2025-02-09	x
40	10	$40.00	2025-02-10	x
41	10	$41.00	2025-02-11	x
42	10	$42.00	2025-02-12	x
43	10	$43.00	2025-02-13	x
44	10	$44.00	2025-02-14	x
45	10	$45.00	2025-02-15	x
46	10	$46.00	2025-02-16	x
47	10	$47.00	2025-02-17	x
48	10	$48.00	2025-02-18	x
49	10	$49.00	2025-02-19	x
50	10	$50.00	2025-02-20	x
\.


--
-- Data for Name: parent; Type: TABLE DATA; Schema: app; Owner: postgres
--

COPY app.parent (a, b) FROM stdin;
\.


--
-- Data for Name: traps; Type: TABLE DATA; Schema: app; Owner: postgres
--

COPY app.traps (id, t) FROM stdin;
1	COPY app.users (id) FROM stdin;\n1\n\\.\n
2	\\.
3	-- PostgreSQL database dump complete
4	'"$x$ /* 
5	\\restrict x
6	
\.


--
-- Data for Name: ul; Type: TABLE DATA; Schema: app; Owner: postgres
--

COPY app.ul (a) FROM stdin;
\.


--
-- Data for Name: users; Type: TABLE DATA; Schema: app; Owner: postgres
--

COPY app.users (id, mail, name, st, addr, tags, created, bal, period, js, ip, u, f8, bt) FROM stdin;
10	a@b	Ann	done	("x y",1)	{NULL,"a\\"b"}	2025-01-01 00:00:00+00	0.00	["2025-01-01 00:00:00+00","2025-02-01 00:00:00+00")	{"a": "\\\\u00e9"}	1.2.3.4	00000000-0000-4000-8000-000000000000	0.30000000000000004	\\x00ff
12	c@d	Bo\tb\\n\n	new	\N	\N	2025-01-01 00:00:00+00	0.00	\N	\N	\N	00000000-0000-4000-8000-000000000000	NaN	\N
\.


--
-- Name: orders_id_seq; Type: SEQUENCE SET; Schema: app; Owner: rich_admin
--

SELECT pg_catalog.setval('app.orders_id_seq', 50, true);


--
-- Name: seq1; Type: SEQUENCE SET; Schema: app; Owner: postgres
--

SELECT pg_catalog.setval('app.seq1', 128, true);


--
-- Name: users_id_seq; Type: SEQUENCE SET; Schema: app; Owner: postgres
--

SELECT pg_catalog.setval('app.users_id_seq', 12, true);


--
-- Name: 16; Type: BLOB METADATA; Schema: -; Owner: postgres
--

SELECT pg_catalog.lo_create('16');

ALTER LARGE OBJECT 16 OWNER TO postgres;

--
-- Data for Name: 16; Type: BLOBS; Schema: -; Owner: postgres
--

BEGIN;

SELECT pg_catalog.lo_open('16', 131072);
SELECT pg_catalog.lowrite(0, '\xdeadbeef');
SELECT pg_catalog.lo_close(0);

COMMIT;

--
-- Name: orders chk_nv; Type: CHECK CONSTRAINT; Schema: app; Owner: rich_admin
--

ALTER TABLE app.orders
    ADD CONSTRAINT chk_nv CHECK ((id > 0)) NOT VALID;


--
-- Name: ev ev_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.ev
    ADD CONSTRAINT ev_pkey PRIMARY KEY (ts, k);


--
-- Name: ev_2025 ev_2025_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.ev_2025
    ADD CONSTRAINT ev_2025_pkey PRIMARY KEY (ts, k);


--
-- Name: ev_2025_1 ev_2025_1_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.ev_2025_1
    ADD CONSTRAINT ev_2025_1_pkey PRIMARY KEY (ts, k);


--
-- Name: ev_def ev_def_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.ev_def
    ADD CONSTRAINT ev_def_pkey PRIMARY KEY (ts, k);


--
-- Name: users nodup; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.users
    ADD CONSTRAINT nodup EXCLUDE USING gist (period WITH &&, name WITH =) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: CONSTRAINT nodup ON users; Type: COMMENT; Schema: app; Owner: postgres
--

COMMENT ON CONSTRAINT nodup ON app.users IS 'cc';


--
-- Name: orders orders_pkey; Type: CONSTRAINT; Schema: app; Owner: rich_admin
--

ALTER TABLE ONLY app.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);

ALTER TABLE app.orders CLUSTER ON orders_pkey;


--
-- Name: traps traps_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.traps
    ADD CONSTRAINT traps_pkey PRIMARY KEY (id);


--
-- Name: users users_mail_key; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.users
    ADD CONSTRAINT users_mail_key UNIQUE (mail);


--
-- Name: users users_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);


--
-- Name: ev_v_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX ev_v_idx ON ONLY app.ev USING btree (v);


--
-- Name: ev_2025_v_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX ev_2025_v_idx ON ONLY app.ev_2025 USING btree (v);


--
-- Name: ev_2025_1_v_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX ev_2025_1_v_idx ON app.ev_2025_1 USING btree (v);


--
-- Name: ev_def_v_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX ev_def_v_idx ON app.ev_def USING btree (v);


--
-- Name: mv_st_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE UNIQUE INDEX mv_st_idx ON app.mv USING btree (st);


--
-- Name: orders_d_amt_idx; Type: INDEX; Schema: app; Owner: rich_admin
--

CREATE INDEX orders_d_amt_idx ON app.orders USING btree (d DESC NULLS LAST) INCLUDE (amt) WHERE (d IS NOT NULL);


--
-- Name: trg; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX trg ON app.users USING gin (name public.gin_trgm_ops);


--
-- Name: INDEX trg; Type: COMMENT; Schema: app; Owner: postgres
--

COMMENT ON INDEX app.trg IS 'ix';


--
-- Name: uexpr; Type: INDEX; Schema: app; Owner: postgres
--

CREATE UNIQUE INDEX uexpr ON app.users USING btree (lower(name), st NULLS FIRST) NULLS NOT DISTINCT WITH (fillfactor='50');


--
-- Name: ev_2025_1_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.ev_2025_pkey ATTACH PARTITION app.ev_2025_1_pkey;


--
-- Name: ev_2025_1_v_idx; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.ev_2025_v_idx ATTACH PARTITION app.ev_2025_1_v_idx;


--
-- Name: ev_2025_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.ev_pkey ATTACH PARTITION app.ev_2025_pkey;


--
-- Name: ev_2025_v_idx; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.ev_v_idx ATTACH PARTITION app.ev_2025_v_idx;


--
-- Name: ev_def_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.ev_pkey ATTACH PARTITION app.ev_def_pkey;


--
-- Name: ev_def_v_idx; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.ev_v_idx ATTACH PARTITION app.ev_def_v_idx;


--
-- Name: stx; Type: STATISTICS; Schema: app; Owner: postgres
--

CREATE STATISTICS app.stx (ndistinct, dependencies) ON uid, d FROM app.orders;


ALTER STATISTICS app.stx OWNER TO postgres;

--
-- Name: v1 _RETURN; Type: RULE; Schema: app; Owner: postgres
--

CREATE OR REPLACE VIEW app.v1 WITH (security_barrier='true') AS
 SELECT u.id,
    u.name,
    sum(o.amt) AS s
   FROM (app.users u
     LEFT JOIN app.orders o ON ((o.uid = u.id)))
  GROUP BY u.id;


--
-- Name: parent r1; Type: RULE; Schema: app; Owner: postgres
--

CREATE RULE r1 AS
    ON DELETE TO app.parent DO INSTEAD NOTHING;


--
-- Name: parent r2; Type: RULE; Schema: app; Owner: postgres
--

CREATE RULE r2 AS
    ON UPDATE TO app.parent DO ( INSERT INTO app.child (a, b, c)
  VALUES (new.a, new.b, 1);
 SELECT 1 AS "?column?";
);


--
-- Name: users t1; Type: TRIGGER; Schema: app; Owner: postgres
--

CREATE TRIGGER t1 BEFORE UPDATE OF name, st ON app.users FOR EACH ROW WHEN ((old.name IS DISTINCT FROM new.name)) EXECUTE FUNCTION app.trgf('a', 'b');

ALTER TABLE app.users DISABLE TRIGGER t1;


--
-- Name: orders t2; Type: TRIGGER; Schema: app; Owner: rich_admin
--

CREATE TRIGGER t2 AFTER INSERT ON app.orders REFERENCING NEW TABLE AS nt FOR EACH STATEMENT EXECUTE FUNCTION app.trgf();


--
-- Name: orders orders_uid_fkey; Type: FK CONSTRAINT; Schema: app; Owner: rich_admin
--

ALTER TABLE ONLY app.orders
    ADD CONSTRAINT orders_uid_fkey FOREIGN KEY (uid) REFERENCES app.users(id) ON UPDATE SET NULL ON DELETE CASCADE DEFERRABLE;


--
-- Name: users p1; Type: POLICY; Schema: app; Owner: postgres
--

CREATE POLICY p1 ON app.users FOR SELECT TO rich_user USING (((mail)::text = CURRENT_USER));


--
-- Name: users p2; Type: POLICY; Schema: app; Owner: postgres
--

CREATE POLICY p2 ON app.users AS RESTRICTIVE FOR UPDATE USING (true) WITH CHECK ((bal < (100)::numeric));


--
-- Name: users; Type: ROW SECURITY; Schema: app; Owner: postgres
--

ALTER TABLE app.users ENABLE ROW LEVEL SECURITY;

--
-- Name: pub; Type: PUBLICATION; Schema: -; Owner: postgres
--

CREATE PUBLICATION pub WITH (publish = 'insert, update, delete, truncate');


ALTER PUBLICATION pub OWNER TO postgres;

--
-- Name: pub orders; Type: PUBLICATION TABLE; Schema: app; Owner: postgres
--

ALTER PUBLICATION pub ADD TABLE ONLY app.orders;


--
-- Name: pub users; Type: PUBLICATION TABLE; Schema: app; Owner: postgres
--

ALTER PUBLICATION pub ADD TABLE ONLY app.users (id, mail) WHERE ((id > 0));


--
-- Name: SCHEMA app; Type: ACL; Schema: -; Owner: rich_admin
--

GRANT USAGE ON SCHEMA app TO rich_user;


--
-- Name: FUNCTION f2(integer); Type: ACL; Schema: app; Owner: postgres
--

REVOKE ALL ON FUNCTION app.f2(integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.f2(integer) TO rich_user;


--
-- Name: TABLE ft; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT ON TABLE app.ft TO rich_user;


--
-- Name: TABLE users; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT ON TABLE app.users TO rich_user WITH GRANT OPTION;


--
-- Name: COLUMN users.mail; Type: ACL; Schema: app; Owner: postgres
--

GRANT INSERT(mail) ON TABLE app.users TO rich_user WITH GRANT OPTION;


--
-- Name: COLUMN users.name; Type: ACL; Schema: app; Owner: postgres
--

GRANT INSERT(name) ON TABLE app.users TO rich_user WITH GRANT OPTION;


--
-- Name: SEQUENCE seq1; Type: ACL; Schema: app; Owner: postgres
--

GRANT USAGE ON SEQUENCE app.seq1 TO rich_user;


--
-- Name: DEFAULT PRIVILEGES FOR TABLES; Type: DEFAULT ACL; Schema: app; Owner: postgres
--

ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA app GRANT SELECT ON TABLES TO rich_user;


--
-- Name: et; Type: EVENT TRIGGER; Schema: -; Owner: postgres
--

CREATE EVENT TRIGGER et ON ddl_command_end
   EXECUTE FUNCTION app.etf();

ALTER EVENT TRIGGER et DISABLE;


ALTER EVENT TRIGGER et OWNER TO postgres;

--
-- Name: mv; Type: MATERIALIZED VIEW DATA; Schema: app; Owner: postgres
--

REFRESH MATERIALIZED VIEW app.mv;


--
-- PostgreSQL database dump complete
--


