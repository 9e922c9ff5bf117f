-- One of nearly everything pg_dump knows, to compare our dump with that of PostgreSQL's own pg_dump.
-- Roles belong to the whole server, so they may be there already.
do $$ begin
  if not exists (select from pg_roles where rolname = 'rich_user') then create role rich_user; end if;
  if not exists (select from pg_roles where rolname = 'rich_admin') then create role rich_admin; end if;
end $$;

create extension pgcrypto; create extension citext; create extension btree_gist; create extension pg_trgm;
create schema app authorization rich_admin;
create schema "Weird ""Schema";
comment on schema app is 'app; it''s';

-- types
create type app.status as enum ('new', 'in''prog', 'done');
comment on type app.status is 'st';
create domain app.email as citext check (value ~ '@') not null;
create type app.addr as (street text, zip varchar(10));
create type app.fr as range (subtype = float8);
create sequence app.seq1 as int start 100 increment by 7 cache 5 cycle maxvalue 100000;
select nextval('app.seq1'), nextval('app.seq1');
create collation app.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);

-- tables
create table app.users (
  id bigint generated always as identity (start 10 increment 2) primary key,
  mail app.email unique, name text collate app.ci not null, st app.status default 'new', addr app.addr,
  tags text[] default '{a,"b c"}', created timestamptz default '2025-01-01 00:00:00+00',
  full_name text generated always as (upper(name)) stored, virt int generated always as (length(name)) virtual,
  bal numeric(12, 2) default 0 check (bal >= 0), period tstzrange, js jsonb default '{}'::jsonb, ip inet,
  u uuid default '00000000-0000-4000-8000-000000000000', f8 float8, bt bytea,
  constraint nodup exclude using gist (period with &&, name with =) deferrable initially deferred
);
comment on table app.users is E'multi\nline';
comment on column app.users.name is 'nm';
comment on constraint nodup on app.users is 'cc';
alter table app.users alter name set storage external, alter js set compression pglz, alter name set statistics 500;
alter table app.users set (fillfactor = 70, autovacuum_enabled = false);
create table app.orders (
  id serial primary key,
  uid bigint not null references app.users (id) on delete cascade on update set null deferrable,
  amt money, note text, d date
);
alter table app.orders drop column note;
alter table app.orders add column note2 text not null default 'x';
alter table app.orders add constraint chk_nv check (id > 0) not valid;
create index on app.orders (d desc nulls last) include (amt) where d is not null;
create index trg on app.users using gin (name gin_trgm_ops);
create unique index uexpr on app.users ((lower(name)), st nulls first) nulls not distinct with (fillfactor = 50);
comment on index app.trg is 'ix';
alter table app.orders cluster on orders_pkey;
alter table app.orders replica identity full;
create statistics app.stx (ndistinct, dependencies) on uid, d from app.orders;
create table app.ev (ts timestamptz not null, k int, v text, primary key (ts, k)) partition by range (ts);
create table app.ev_2025 partition of app.ev
  for values from ('2025-01-01 00:00:00+00') to ('2026-01-01 00:00:00+00') partition by list (k);
create table app.ev_2025_1 partition of app.ev_2025 for values in (1, 2);
create table app.ev_def partition of app.ev default;
create index on app.ev (v);
create table app.parent (a int, b text default 'p');
create table app.child (c int, a int default 5) inherits (app.parent);
create unlogged table app.ul (a int);
create table app.nothing ();
create table "Weird ""Schema"."T a.b" ("col ""x" int, "select" text, "FROM stdin;" text);
create table app.traps (id int primary key, t text);

-- functions, operators, casts
create function app.f1(a int, b text default 'q''q', variadic c int[] default '{}') returns table (x int, y text)
  language sql stable parallel safe as $f$ select a, b || $$x$$; $f$;
create function app.f2(int) returns int
  language plpgsql security definer set search_path = app, pg_temp strict cost 50
  as $$ begin if $1 > 0 then return 1; end if; return 0; end; $$;
create function app.f3(a int) returns int language sql
  begin atomic select case when a > 0 then a + 1 else 0 end; select a + 2; end;
create function app.copies() returns text language plpgsql as $body$
begin
  return $in$
COPY app.users (id) FROM stdin;
1
\.
-- PostgreSQL database dump complete
$in$;
end $body$;
create procedure app.p1(inout a int) language plpgsql as $$ begin a := a + 1; commit; end $$;
create aggregate app.agg (int) (sfunc = int4pl, stype = int, initcond = '0', combinefunc = int4pl, parallel = safe);
create function app.eqx(app.addr, app.addr) returns bool language sql immutable as 'select $1.zip = $2.zip';
create operator app.=== (leftarg = app.addr, rightarg = app.addr, function = app.eqx, commutator = operator(app.===));
create function app.castst(app.status) returns int language sql immutable as 'select 1';
create cast (app.status as int) with function app.castst(app.status) as assignment;

-- views
create view app.v1 with (security_barrier = true) as
  select u.id, u.name, sum(o.amt) s from app.users u left join app.orders o on o.uid = u.id group by u.id;
create view app.v2 as select id, name from app.users where id > 1 with cascaded check option;
create view app.v3 as select E'back\\slash '' quote; --' as a, $$COPY x FROM stdin;$$ as b;
create materialized view app.mv as select st, count(*) c from app.users group by st;
create unique index on app.mv (st);
create recursive view app.rv (n) as values (1) union all select n + 1 from rv where n < 5;

-- triggers, rules, policies, rights
create function app.trgf() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger t1 before update of name, st on app.users
  for each row when (old.name is distinct from new.name) execute function app.trgf('a', 'b');
create trigger t2 after insert on app.orders
  referencing new table as nt for each statement execute function app.trgf();
alter table app.users disable trigger t1;
create rule r1 as on delete to app.parent do instead nothing;
create rule r2 as on update to app.parent
  do also (insert into app.child values (new.a, new.b, 1); select 1);
create function app.etf() returns event_trigger language plpgsql as $$ begin end $$;
create event trigger et on ddl_command_end execute function app.etf();
alter event trigger et disable;
alter table app.users enable row level security;
create policy p1 on app.users for select to rich_user using (mail::text = current_user);
create policy p2 on app.users as restrictive for update to public using (true) with check (bal < 100);
grant usage on schema app to rich_user;
grant select, insert (mail, name) on app.users to rich_user with grant option;
grant execute on function app.f2(int) to rich_user;
revoke execute on function app.f2(int) from public;
grant usage on sequence app.seq1 to rich_user;
alter default privileges in schema app grant select on tables to rich_user;
alter table app.orders owner to rich_admin;
alter function app.f1 owner to rich_admin;

-- the rest
create publication pub for table app.users (id, mail) where (id > 0), app.orders;
create text search configuration app.tsc (copy = pg_catalog.english);
alter text search configuration app.tsc alter mapping for asciiword with simple;
create foreign data wrapper fdw;
create server srv foreign data wrapper fdw options (host 'h');
create foreign table app.ft (a int options (c 'd')) server srv options (t 'x');

-- data
insert into app.users (mail, name, st, addr, tags, period, js, ip, f8, bt) values
  ('a@b', 'Ann', 'done', '("x y",1)', array[null, 'a"b'], '[2025-01-01 00:00:00+00,2025-02-01 00:00:00+00)',
   '{"a":"\\u00e9"}', '1.2.3.4', 0.1::float8 + 0.2::float8, '\x00ff'),
  ('c@d', E'Bo\tb\\n\n', 'new', null, null, null, null, null, 'NaN', null);
insert into app.orders (uid, amt, d) select 10, i, date '2025-01-01' + i from generate_series(1, 50) i;
insert into app.ev values ('2025-05-05 00:00:00+00', 1, 'x'), ('2024-01-01 00:00:00+00', 9, null);
insert into "Weird ""Schema"."T a.b" values (1, '\.', null), (2, '\N', 'é €');
insert into app.traps values
  (1, E'COPY app.users (id) FROM stdin;\n1\n\\.\n'), (2, '\.'), (3, '-- PostgreSQL database dump complete'),
  (4, $$'"$x$ /* $$), (5, E'\\restrict x'), (6, '');
refresh materialized view app.mv;
insert into app.child values (1, 'two', 3);
insert into app.nothing default values;
select lo_from_bytea(16, '\xdeadbeef');
