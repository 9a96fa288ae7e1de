# Databases as people have them: each is backed up and proven, with its encoding, settings, extensions, owners and foreign servers, and without a
# false alarm, and comes back whole on a server that knows nothing of it.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiZoo;
use Test::More;

my $node = MfiZoo::keeper('bank');

my @cases = (
	[ 'SQL_ASCII with Latin-1 bytes in names', "ENCODING 'SQL_ASCII' LOCALE 'C'", \&MfiZoo::latin1_bytes ],
	[ 'LATIN1 with names of its own', "ENCODING 'LATIN1' LOCALE 'C'", q{CREATE ROLE "Kassiér"; CREATE TABLE "prêt" (v text CHECK (v <> 'ß')); INSERT INTO "prêt" VALUES ('é');
		ALTER TABLE "prêt" OWNER TO "Kassiér"; CREATE VIEW "vue é" AS SELECT * FROM "prêt"; ALTER VIEW "vue é" OWNER TO "Kassiér"; COMMENT ON TABLE "prêt" IS 'à'; GRANT SELECT ON "prêt" TO "Kassiér"} ],
	[ 'EUC_JP', "ENCODING 'EUC_JP' LOCALE 'C'", q{CREATE ROLE "窓口"; CREATE SCHEMA "銀行" AUTHORIZATION "窓口"; CREATE TABLE "銀行"."貸付" (v text); INSERT INTO "銀行"."貸付" VALUES ('円'); ALTER TABLE "銀行"."貸付" OWNER TO "窓口"} ],
	[ 'MULE_INTERNAL', "ENCODING 'MULE_INTERNAL' LOCALE 'C'", qq{SET client_encoding = MULE_INTERNAL; CREATE TABLE "t\x81\xe9" (v text); INSERT INTO "t\x81\xe9" VALUES ('\x81\xe9')} ],
	[ 'ICU with rules', "LOCALE_PROVIDER icu ICU_LOCALE 'und' ICU_RULES '&a < g' ENCODING 'UTF8'", q{CREATE TABLE t (v text CHECK (v < 'b')); INSERT INTO t VALUES ('g'); CREATE INDEX ON t (v)} ],
	[ 'a builtin locale', "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' ENCODING 'UTF8'", q{CREATE TABLE t (v text, EXCLUDE USING btree (lower(v) WITH =)); INSERT INTO t VALUES ('É')} ],
	[ 'settings of the server', '', q{CREATE TABLE t (at timestamptz, day date CHECK (day = at::date), said text, said_at date CHECK (said::date = said_at), gap interval, CHECK (gap::text = '@ 1 hour'));
		INSERT INTO t VALUES ('2026-01-01 23:30+00', '2026-01-02', '02/01/2026', '2026-01-02', '1 hour')} ],
	[ 'settings of the database', '', q{ALTER DATABASE :db SET TimeZone = 'Asia/Tokyo'; ALTER DATABASE :db SET DateStyle = 'SQL, MDY'; ALTER DATABASE :db SET bank.currency = 'RWF'; ALTER DATABASE :db SET IntervalStyle = 'iso_8601';
		ALTER DATABASE :db SET default_text_search_config = 'pg_catalog.german'; ALTER DATABASE :db SET bytea_output = 'escape'; ALTER DATABASE :db SET xmloption = 'document';
		\c
		CREATE TABLE t (at timestamptz, day date CHECK (day = at::date), said text CHECK (said::date = '2026-01-02'), c text CHECK (c = current_setting('bank.currency')), gap interval CHECK (gap::text = 'PT1H'), x bytea CHECK (x::text = 'x'), words text CHECK (to_tsvector(words) @@ 'haus'));
		INSERT INTO t VALUES ('2026-01-01 16:30+00', '2026-01-02', '01/02/2026', 'RWF', '1 hour', 'x', 'Häuser'); CREATE MATERIALIZED VIEW m AS SELECT current_setting('bank.currency')::char(3) AS v FROM t; } ],
	[ 'settings of its roles', '', q{ALTER ROLE :super SET TimeZone = 'Asia/Tokyo'; ALTER ROLE :super SET quote_all_identifiers = on; ALTER ROLE :super IN DATABASE :db SET DateStyle = 'ISO, MDY'; ALTER ROLE :super IN DATABASE :db SET "Bank.Limits" = '1,''2"';
		\c
		CREATE TABLE t (at timestamptz, day date CHECK (day = at::date), said text CHECK (said::date = '2026-01-02'), l text CHECK (l = current_setting('bank.limits'))); INSERT INTO t VALUES ('2026-01-01 16:30+00', '2026-01-02', '01/02/2026', '1,''2"'); },
		{ after => 'ALTER ROLE :super RESET ALL' } ],
	[ 'a text search configuration of its own', '', q{CREATE TEXT SEARCH CONFIGURATION bank (COPY = pg_catalog.german); ALTER DATABASE :db SET default_text_search_config = 'public.bank';
		\c
		CREATE TABLE t (words text CHECK (to_tsvector(words) @@ 'haus')); INSERT INTO t VALUES ('Häuser')} ],
	[ 'settings that hinder', '', join('', map { "ALTER DATABASE :db SET $_;" } q{statement_timeout = '1ms'}, q{lock_timeout = '1ms'}, 'role = pg_monitor', q{search_path = 'nowhere'}, 'default_transaction_read_only = on', 'quote_all_identifiers = on',
		q{default_transaction_isolation = 'serializable'}, q{client_encoding = 'LATIN1'}, 'row_security = off', 'standard_conforming_strings = off', q{backslash_quote = 'on'}, 'transform_null_equals = on', q{default_tablespace = ''}, q{session_replication_role = 'replica'}, q{idle_in_transaction_session_timeout = '1ms'}, q{event_triggers = off}, q{check_function_bodies = on})
		. q{CREATE TABLE t (a int PRIMARY KEY, "b" text); INSERT INTO t VALUES (1, E'\\\\')} ],
	[ 'pgaudit', '', q{CREATE EXTENSION pgaudit; CREATE TABLE t (v int); INSERT INTO t VALUES (1); CREATE FUNCTION f() RETURNS int LANGUAGE sql SET pgaudit.log = 'write' AS 'SELECT 1'} ],
	[ 'pg_cron', '', q{CREATE EXTENSION pg_cron; SELECT cron.schedule('nightly', '0 2 * * *', 'SELECT 1'); CREATE TABLE t (v int); INSERT INTO t VALUES (1)} ],
	[ 'a remote server that is down', '', q{CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '/nowhere', dbname 'postgres'); CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (password_required 'false');
		CREATE FOREIGN TABLE rates (v int) SERVER far; CREATE MATERIALIZED VIEW m AS SELECT * FROM rates WITH NO DATA; CREATE TABLE t (v int); INSERT INTO t VALUES (1)} ],
	[ 'a remote server that is up', '', q{CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (:remote, dbname 'postgres'); CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (user 'postgres', password_required 'false');
		CREATE FOREIGN TABLE rates (v int) SERVER far OPTIONS (table_name 'rates'); CREATE VIEW v AS SELECT v FROM rates; CREATE FUNCTION f() RETURNS SETOF int LANGUAGE sql BEGIN ATOMIC SELECT v FROM v; END; CREATE FUNCTION g() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM public.rates); END';
		CREATE MATERIALIZED VIEW m1 AS SELECT * FROM rates; CREATE MATERIALIZED VIEW m2 AS SELECT * FROM v; CREATE MATERIALIZED VIEW m3 AS SELECT * FROM f(); CREATE MATERIALIZED VIEW m4 AS SELECT g() AS g; CREATE MATERIALIZED VIEW m5 AS SELECT * FROM m1; CREATE UNIQUE INDEX ON m1 (v);
		CREATE TABLE t (v int); INSERT INTO t VALUES (1); CREATE MATERIALIZED VIEW own AS SELECT * FROM t}, { remark => qr/m1.*m2.*m3.*m4.*m5/s } ],
	[ 'event triggers', '', q{CREATE TABLE journal (said text); CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.journal VALUES (tg_event || current_user); END$$;
		CREATE EVENT TRIGGER on_login ON login EXECUTE FUNCTION note(); ALTER EVENT TRIGGER on_login ENABLE ALWAYS; CREATE EVENT TRIGGER on_end ON ddl_command_end EXECUTE FUNCTION note(); CREATE EVENT TRIGGER on_drop ON sql_drop EXECUTE FUNCTION note();
		ALTER EVENT TRIGGER on_end ENABLE REPLICA; COMMENT ON EVENT TRIGGER on_end IS 'x'; CREATE TABLE t (v int); INSERT INTO t VALUES (1)} ],
	[ 'objects of a second superuser', '', q{CREATE ROLE root2 SUPERUSER; CREATE ROLE "dba é" SUPERUSER BYPASSRLS; CREATE EXTENSION postgres_fdw; CREATE FUNCTION ev() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER ev ON ddl_command_end EXECUTE FUNCTION ev(); ALTER EVENT TRIGGER ev OWNER TO root2;
		CREATE FOREIGN DATA WRAPPER plain; ALTER FOREIGN DATA WRAPPER plain OWNER TO root2; CREATE SERVER s FOREIGN DATA WRAPPER plain; ALTER SERVER s OWNER TO "dba é"; CREATE PUBLICATION everything FOR ALL TABLES; ALTER PUBLICATION everything OWNER TO root2;
		CREATE FUNCTION c_eq(int, int) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4eq'; ALTER FUNCTION c_eq(int, int) OWNER TO root2; CREATE PUBLICATION connect FOR TABLES IN SCHEMA public; CREATE SUBSCRIPTION connect CONNECTION 'host=/nowhere' PUBLICATION connect WITH (connect = false); ALTER SUBSCRIPTION connect OWNER TO root2;
		CREATE TABLE t (v int); INSERT INTO t VALUES (1)}, { after => 'ALTER SUBSCRIPTION connect SET (slot_name = NONE); DROP SUBSCRIPTION connect' } ],
	[ 'memberships', '', q{CREATE ROLE readers; CREATE ROLE clerk; CREATE ROLE distant; GRANT readers TO clerk WITH INHERIT TRUE; CREATE ROLE chief NOINHERIT; GRANT readers TO chief WITH INHERIT FALSE, SET TRUE; GRANT chief TO distant WITH INHERIT TRUE; CREATE ROLE sees_all BYPASSRLS;
		CREATE TABLE t (owner text); INSERT INTO t VALUES ('clerk'), ('sees_all'), ('x'); GRANT SELECT ON t TO readers, sees_all; ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON t TO readers USING (owner = current_user AND pg_has_role(current_user, 'readers', 'USAGE'));
		GRANT CREATE ON SCHEMA public TO clerk, sees_all; SET ROLE clerk; CREATE MATERIALIZED VIEW mine AS SELECT * FROM t; RESET ROLE; SET ROLE sees_all; CREATE MATERIALIZED VIEW theirs AS SELECT * FROM t; RESET ROLE} ],
	[ 'a tablespace', '', q{CREATE TABLE t (v int) TABLESPACE elsewhere; INSERT INTO t VALUES (1); CREATE INDEX ON t (v) TABLESPACE elsewhere} ],
	[ 'hash partitions by an enum', '', q{CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE TABLE t (m mood) PARTITION BY HASH (m); SELECT format('CREATE TABLE t%s PARTITION OF t FOR VALUES WITH (MODULUS 4, REMAINDER %1$s)', i) FROM generate_series(0, 3) i \gexec
		INSERT INTO t SELECT (enum_range(NULL::mood))[1 + i % 3] FROM generate_series(1, 30) i} ],
	[ 'large objects', '', q{SELECT lo_from_bytea(0, repeat('x', i * 1000)::bytea) FROM generate_series(0, 5) i; CREATE ROLE keeper; SELECT format('ALTER LARGE OBJECT %s OWNER TO keeper', min(oid::text)) FROM pg_largeobject_metadata \gexec } ],
	[ 'many tables', '', \&MfiZoo::many_tables ],
	[ 'odd names', '', q{CREATE SCHEMA "odd
\! schema"; CREATE TABLE "odd
\! schema"."ta'b""le
-- \. $$;" ("co\l" int); INSERT INTO "odd
\! schema"."ta'b""le
-- \. $$;" VALUES (1); CREATE VIEW "new
line" AS SELECT 1 AS "'x;"; CREATE FUNCTION "f""'\
"("$1x" int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT 1'; COMMENT ON FUNCTION "f""'\
" IS E'\\.\n;--'; CREATE TYPE shell; CREATE TYPE "lone
shell"; CREATE DOMAIN "/* d" AS int CHECK (value > 0); CREATE TYPE "E'" AS ENUM ('''', '\'); CREATE TABLE connect ("where" "E'" DEFAULT '\'); CREATE PUBLICATION connect FOR TABLE connect; INSERT INTO connect DEFAULT VALUES} ],
);

MfiZoo::proven($node, @$_) for @cases;

# As many rows, one of them another one: only its contents tell.
MfiZoo::differs($node, 'hash partitions by an enum', $cases[-4], q{UPDATE t SET m = 'ok' WHERE ctid IN (SELECT ctid FROM t WHERE m = 'sad' LIMIT 1)}, qr/table public\.t: other contents restored than in the source, in as many rows/);
done_testing();
