# Objects as people have them, in a server that preloads much and says all of it: each database is backed up, proven,
# and restored on another server.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiZoo;
use Test::More;

my $node = MfiZoo::keeper('bank', <<'CONF');
bank.unit = 'a b\\c'
pgaudit.log = 'all'
auto_explain.log_min_duration = 0
pg_stat_statements.max = 200
plpgsql.variable_conflict = use_column
CONF

my @cases = (
	[ 'statements of all, and settings of a library', '', q{CREATE EXTENSION pg_stat_statements; CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM pg_stat_statements; CREATE TABLE t(u text CHECK (u = current_setting('bank.unit'))); INSERT INTO t VALUES (current_setting('bank.unit')); ALTER DATABASE :db SET pgaudit.log = 'ddl'; CREATE EXTENSION pgaudit; ALTER DATABASE :db SET pg_stat_statements.track='all'} ],
	[ 'matviews of all kinds', '', q{CREATE EXTENSION dblink; CREATE EXTENSION file_fdw; CREATE SERVER f FOREIGN DATA WRAPPER file_fdw; CREATE FOREIGN TABLE pw (l text) SERVER f OPTIONS (filename '/etc/hostname');
		CREATE MATERIALIZED VIEW a AS SELECT rolname, rolpassword FROM pg_authid; CREATE MATERIALIZED VIEW b AS SELECT * FROM pw; CREATE MATERIALIZED VIEW c AS SELECT pg_read_file('/etc/hostname'); CREATE MATERIALIZED VIEW d AS SELECT * FROM dblink('host=' || current_setting('unix_socket_directories') || ' port=' || current_setting('port') || ' dbname=postgres', 'SELECT 1') AS t(v int); CREATE MATERIALIZED VIEW e AS SELECT * FROM pg_ls_dir('/tmp'); CREATE MATERIALIZED VIEW ff AS SELECT count(*) FROM pg_stat_activity; CREATE MATERIALIZED VIEW g AS SELECT * FROM pg_hba_file_rules; CREATE MATERIALIZED VIEW h AS SELECT * FROM pg_stat_get_wal_receiver(); CREATE MATERIALIZED VIEW "i ""
x" AS SELECT pg_current_wal_lsn();
		CREATE TABLE p (v int) PARTITION BY LIST (v); CREATE FOREIGN TABLE p1 PARTITION OF p FOR VALUES IN (1) SERVER f OPTIONS (filename '/nonexistent/x'); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); INSERT INTO p VALUES (2); CREATE MATERIALIZED VIEW j AS SELECT * FROM p WHERE v = 2}, { remark => qr/^not refreshed in the proof, since what they read is outside of the database: materialized views public\.a, public\.b, public\.c, public\.d, public\.e, public\.g, public\.j$/ } ],
	[ 'roles with odd names', '', q{CREATE ROLE mfi_restorer; CREATE ROLE mfi_scratch_owner SUPERUSER; CREATE ROLE "new
line" NOINHERIT; CREATE ROLE "q""'\\$$;" SUPERUSER; CREATE ROLE "app/web"; GRANT pg_read_all_data, pg_monitor TO "app/web"; GRANT "new
line" TO "app/web" WITH ADMIN OPTION; CREATE TABLE t (v int); INSERT INTO t VALUES (1); ALTER TABLE t OWNER TO "new
line"; CREATE TABLE u (v int); ALTER TABLE u OWNER TO "q""'\\$$;"; CREATE MATERIALIZED VIEW m AS SELECT * FROM t; ALTER MATERIALIZED VIEW m OWNER TO "app/web"; CREATE TABLE w (v int); ALTER TABLE w OWNER TO mfi_restorer; ALTER DEFAULT PRIVILEGES FOR ROLE "q""'\\$$;" GRANT SELECT ON TABLES TO mfi_scratch_owner; GRANT SELECT ON t TO "q""'\\$$;" WITH GRANT OPTION; SET ROLE "q""'\\$$;"; GRANT SELECT ON t TO mfi_restorer; RESET ROLE; ALTER DATABASE :db OWNER TO "app/web"} ],
	[ 'event triggers of others', '', q{CREATE ROLE root2x SUPERUSER; CREATE FUNCTION "e'v
"() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$no$$; END'; CREATE EVENT TRIGGER "Ev ""1" ON ddl_command_start WHEN TAG IN ('CREATE VIEW') EXECUTE FUNCTION "e'v
"(); ALTER EVENT TRIGGER "Ev ""1" OWNER TO root2x; ALTER EVENT TRIGGER "Ev ""1" DISABLE; CREATE EVENT TRIGGER l ON login EXECUTE FUNCTION "e'v
"(); ALTER EVENT TRIGGER l OWNER TO root2x; CREATE TABLE t (v int)}  ],
	[ 'shells of types', '', q{CREATE SCHEMA "a.b"; CREATE TYPE "a.b"."c.d"; CREATE TYPE "A"; CREATE ROLE ty; ALTER TYPE "A" OWNER TO ty; CREATE TYPE r; CREATE FUNCTION canon(r) RETURNS r LANGUAGE internal IMMUTABLE STRICT AS 'int4range_canonical'; CREATE TYPE r AS RANGE (subtype = int, canonical = canon); CREATE TABLE t (v r, d "int4"); INSERT INTO t VALUES ('[1,3]', 1)} ],
	[ 'settings of PL/pgSQL', '', q{ALTER DATABASE :db SET plpgsql.variable_conflict = 'use_column'; ALTER DATABASE :db SET plpgsql.extra_errors='all'; ALTER ROLE ALL IN DATABASE :db SET x.y = 'all';
\c
CREATE TABLE t (v int); CREATE FUNCTION f(v int) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN (SELECT count(*) FROM public.t WHERE v IS NOT NULL); END'; CREATE TABLE c (v int CHECK (f(v) >= 0), x text CHECK (x = current_setting('x.y'))); INSERT INTO c VALUES (1, 'all'); CREATE INDEX ON c (f(v))} ],
	[ 'servers of others', '', q{CREATE EXTENSION postgres_fdw; CREATE FOREIGN DATA WRAPPER w HANDLER postgres_fdw_handler VALIDATOR postgres_fdw_validator ; ALTER FOREIGN DATA WRAPPER w OWNER TO root2x; CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host '/x'); ALTER SERVER s OWNER TO "new
line"; CREATE USER MAPPING FOR "new
line" SERVER s OPTIONS (user 'x', password 'y'); CREATE USER MAPPING FOR ty SERVER s OPTIONS (user 'x', password_required 'false'); CREATE FOREIGN TABLE "f
t" (v int) SERVER s; CREATE VIEW "v
w" AS SELECT * FROM "f
t"; CREATE RULE "r
u" AS ON INSERT TO "v
w" DO INSTEAD NOTHING; CREATE TABLE t (v int)} ],
	[ 'publications and a subscription', '', q{CREATE TYPE mood AS ENUM ('a'); CREATE SCHEMA "s,c"; CREATE TABLE "s,c"."where" (m text, "connect" int); CREATE PUBLICATION "where" FOR TABLE "s,c"."where" ("connect") WHERE ("connect" > 1); CREATE PUBLICATION "with" FOR TABLE "s,c"."where" WHERE (m = 'x'); CREATE PUBLICATION p2 FOR ALL TABLES WITH (publish = 'insert'); CREATE SUBSCRIPTION "with" CONNECTION 'dbname=with' PUBLICATION "with", connect, "a,b" WITH (connect = false, slot_name = 'connect')},  { after => 'ALTER SUBSCRIPTION "with" SET (slot_name = NONE); DROP SUBSCRIPTION "with"' } ],
	[ 'partitions of partitions', '', q{CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE TABLE t (m mood, r int) PARTITION BY RANGE (r); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10) PARTITION BY HASH (m); CREATE TABLE t2 PARTITION OF t DEFAULT;
		SELECT format('CREATE TABLE h%s PARTITION OF t1 FOR VALUES WITH (MODULUS 3, REMAINDER %1$s)', i) FROM generate_series(0, 2) i \gexec
		INSERT INTO t SELECT (enum_range(NULL::mood))[1 + i % 3], i FROM generate_series(1, 30) i; CREATE TABLE hx (v text[]) PARTITION BY HASH (v); CREATE TABLE hx0 PARTITION OF hx FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE hx1 PARTITION OF hx FOR VALUES WITH (MODULUS 2, REMAINDER 1); INSERT INTO hx SELECT ARRAY[i::text, NULL] FROM generate_series(1, 9) i} ],
);
MfiZoo::proven($node, @$_) for @cases;
done_testing();
