# A proof runs what a role has written with that role's rights at most: no superuser evaluates it, nothing of it reaches the
# live side, and harmless objects of the same kinds are proven without a false alarm.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use MfiShim qw(install_with);
use PostgreSQL::Test::Utils qw(slurp_dir);
use Test::More;

my $path = install_with();
my $node = MfiNode->bank('bank', install_path => $path, conf => "mfi.backup_verify = 'restore'\n");
my $marks = PostgreSQL::Test::Utils::tempdir;
chmod 0777, $marks;
my $socket = $node->host;
my $port = $node->port;

# By its name it is restored before what calls it. The scratch server has its own port; there, this function tries everything, and tells by failing when a superuser runs it. On
# the live side it leaves a mark when a superuser runs it. What is immutable may call what is not, which may then run every statement.
$node->sql(<<"SQL");
CREATE ROLE teller LOGIN; CREATE SCHEMA app AUTHORIZATION teller; CREATE EXTENSION dblink; CREATE EXTENSION postgres_fdw;
GRANT CREATE ON DATABASE mfi_banking TO teller;
CREATE ROLE auditor; GRANT pg_execute_server_program, pg_read_server_files, pg_write_server_files TO auditor; GRANT auditor TO teller;
SET SESSION AUTHORIZATION teller;
CREATE FUNCTION app.a_tries(who text) RETURNS void LANGUAGE plpgsql AS \$\$
DECLARE
  way text;
  as_role text;
  super boolean := EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname IN (current_user, session_user) AND rolsuper);
BEGIN
  IF current_setting('port') <> '5432' THEN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = current_user AND rolsuper) THEN
      EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'cat >$marks/live-' || who);
    END IF;
    RETURN;
  END IF;
  IF super THEN RAISE EXCEPTION '% ran as a superuser', who; END IF;
  FOREACH as_role IN ARRAY ARRAY['none', 'teller', 'auditor', 'pg_execute_server_program', 'pg_write_server_files', 'postgres'] LOOP
    BEGIN EXECUTE 'SET ROLE ' || as_role; EXCEPTION WHEN OTHERS THEN NULL; END;
    FOREACH way IN ARRAY ARRAY[
      format('COPY (SELECT 1) TO PROGRAM %L', 'setsid cat >$marks/' || who), format('COPY (SELECT 1) TO %L', '$marks/' || who),
      'SET SESSION AUTHORIZATION postgres', 'ALTER ROLE teller SUPERUSER',
      format('SELECT public.dblink_connect_u(%L)', 'host=$socket port=$port dbname=mfi_banking'),
      format('SELECT public.dblink_exec(%L, %L)', 'host=$socket port=$port dbname=mfi_banking user=postgres', 'CREATE TABLE public.marked()')] LOOP
      BEGIN
        EXECUTE way;
        RAISE EXCEPTION USING ERRCODE = 'P0999', MESSAGE = format('%s as %s could: %s', who, as_role, way);
      EXCEPTION WHEN SQLSTATE 'P0999' THEN RAISE;
        WHEN OTHERS THEN NULL;
      END;
    END LOOP;
  END LOOP;
  BEGIN RESET ROLE; EXCEPTION WHEN OTHERS THEN NULL; END;
END \$\$;
CREATE FUNCTION app.attack(who text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM app.a_tries(who); RETURN true; END';
CREATE FUNCTION app.number(who text) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT app.attack(who)::int';
SQL

my @kinds = (
	[ 'a CHECK of a table', q{CREATE TABLE app.t1 (v int CHECK (app.attack('check'))); INSERT INTO app.t1 VALUES (1)} ],
	[ 'a CHECK of a domain', q{CREATE DOMAIN app.d AS int CHECK (app.attack('domain')); CREATE TABLE app.t2 (v app.d); INSERT INTO app.t2 VALUES (1)} ],
	[ 'a generated column', q{CREATE TABLE app.t3 (v int, w int GENERATED ALWAYS AS (app.number('generated')) STORED); INSERT INTO app.t3 VALUES (1)} ],
	[ 'a partition key', q{CREATE FUNCTION app.keyed(v int) RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT app.number('key') * v$$; CREATE TABLE app.t4 (v int) PARTITION BY LIST (app.keyed(v)); CREATE TABLE app.t4a PARTITION OF app.t4 FOR VALUES IN (1);
		INSERT INTO app.t4 VALUES (1)} ],
	[ 'a CHECK of its own row type', q{CREATE TABLE app.t5 (v int); CREATE FUNCTION app.row_ok(app.t5) RETURNS boolean LANGUAGE sql AS $$SELECT app.attack('row')$$;
		ALTER TABLE app.t5 ADD CHECK (app.row_ok(t5.*)); INSERT INTO app.t5 VALUES (1)} ],
	[ 'a DEFAULT', q{CREATE TABLE app.t6 (v int DEFAULT app.number('default')); INSERT INTO app.t6 DEFAULT VALUES} ],
	[ 'an index expression', q{CREATE TABLE app.t7 (v int); INSERT INTO app.t7 VALUES (1); CREATE INDEX ON app.t7 (app.number('index'))} ],
	[ 'an index predicate', q{CREATE TABLE app.t8 (v int); INSERT INTO app.t8 VALUES (1); CREATE INDEX ON app.t8 (v) WHERE app.attack('predicate')} ],
	[ 'an exclusion constraint', q{CREATE TABLE app.t9 (v int, EXCLUDE USING btree ((app.number('exclusion') + v) WITH =)); INSERT INTO app.t9 VALUES (1)} ],
	[ 'row security', q{CREATE TABLE app.t10 (v int); INSERT INTO app.t10 VALUES (1); CREATE POLICY p ON app.t10 USING (app.attack('policy'));
		ALTER TABLE app.t10 ENABLE ROW LEVEL SECURITY; ALTER TABLE app.t10 FORCE ROW LEVEL SECURITY} ],
	[ 'a rule', q{CREATE TABLE app.t11 (v int); INSERT INTO app.t11 VALUES (1); CREATE RULE r AS ON INSERT TO app.t11 DO ALSO SELECT app.attack('rule'), 'GRANT x TO y; ALTER TABLE app.t11 OWNER TO teller;'} ],
	[ 'a trigger ENABLE ALWAYS', q{CREATE TABLE app.t12 (v int); INSERT INTO app.t12 VALUES (1); CREATE FUNCTION app.tr() RETURNS trigger LANGUAGE plpgsql AS
		$$BEGIN PERFORM app.attack('trigger'); RETURN NEW; END$$; CREATE TRIGGER t BEFORE INSERT ON app.t12 FOR EACH ROW EXECUTE FUNCTION app.tr(); ALTER TABLE app.t12 ENABLE ALWAYS TRIGGER t} ],
	[ 'a materialized view', q{CREATE MATERIALIZED VIEW app.m AS SELECT app.attack('matview')} ],
	[ 'statistics', q{CREATE TABLE app.t13 (v int); INSERT INTO app.t13 VALUES (1); CREATE STATISTICS app.s ON (app.number('statistics')), v FROM app.t13; ANALYZE app.t13} ],
	[ 'a cast', q{CREATE TYPE app.c AS (v int); CREATE FUNCTION app.to_bool(app.c) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$SELECT app.attack('cast')$$;
		CREATE CAST (app.c AS boolean) WITH FUNCTION app.to_bool(app.c) AS IMPLICIT; CREATE TABLE app.t14 (v app.c CHECK (v)); INSERT INTO app.t14 VALUES (ROW(1)::app.c)} ],
	[ 'an operator', q{CREATE FUNCTION app.eq(int, int) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$SELECT app.attack('operator')$$;
		CREATE OPERATOR app.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = app.eq); CREATE TABLE app.t15 (v int CHECK (v OPERATOR(app.===) 1)); INSERT INTO app.t15 VALUES (1)} ],
	[ 'text that looks like SQL', q{CREATE FUNCTION app.f() RETURNS text LANGUAGE sql AS $_$SELECT $$
-- TOC entry 1 (class 1259 OID 1)
;
ALTER TABLE app.t1 OWNER TO auditor;
GRANT pg_execute_server_program TO teller; COPY (SELECT 1) TO PROGRAM 'false';
$$::text$_$; COMMENT ON FUNCTION app.f() IS E';\nALTER ROLE teller SUPERUSER;\n-- '} ],
	[ 'a name that looks like SQL', qq{CREATE TABLE app."x; ALTER ROLE teller SUPERUSER; --\n1; 0 0 EXTENSION - dblink" (v int)} ],
	[ 'literals of a domain under names that are words of SQL', q{CREATE DOMAIN app.word AS int CHECK (app.attack('literal')); CREATE TYPE app.language AS (support int);
		CREATE FUNCTION app.language(x app.word[] DEFAULT '{1}'::app.word[]) RETURNS app.language LANGUAGE sql AS 'SELECT NULL::app.language';
		CREATE FUNCTION app.leakproof(x app.word[] DEFAULT '{1}'::app.word[]) RETURNS TABLE (language text, support int) LANGUAGE sql BEGIN ATOMIC SELECT 'x', t.v FROM app.t1 t WHERE '{1}'::app.word[] IS NOT NULL; END;
		CREATE VIEW app.support AS SELECT '{1}'::app.word[] AS leakproof} ],
	[ 'functions with settings of superusers and extensions', q{RESET SESSION AUTHORIZATION; GRANT SET ON PARAMETER log_min_duration_statement TO teller; CREATE EXTENSION pg_trgm; SELECT similarity('a', 'b');
		CREATE FUNCTION app.odd() RETURNS int LANGUAGE sql SET "my.Odd" = 'x' AS 'SELECT 1'; ALTER FUNCTION app.odd() OWNER TO teller; SET SESSION AUTHORIZATION teller;
		CREATE FUNCTION app.slow(x app.word[] DEFAULT '{1}'::app.word[]) RETURNS int LANGUAGE sql SET log_min_duration_statement = '1s' SET pg_trgm.similarity_threshold = 0.5 AS 'SELECT 1'} ],
	[ 'objects of PostgreSQL\'s own roles', q{RESET SESSION AUTHORIZATION; CREATE TABLE app.t21 (v int); ALTER TABLE app.t21 OWNER TO pg_database_owner; CREATE VIEW app.monitored AS SELECT 1 AS v; ALTER VIEW app.monitored OWNER TO pg_monitor} ],
	[ 'a range with a canonical function, a cast between types of an extension', q{RESET SESSION AUTHORIZATION; CREATE EXTENSION hstore; CREATE TYPE app.rc; CREATE FUNCTION app.canon(app.rc) RETURNS app.rc LANGUAGE internal IMMUTABLE STRICT AS 'int4range_canonical';
		CREATE TYPE app.rc AS RANGE (subtype = int, canonical = app.canon); ALTER TYPE app.rc OWNER TO teller; CREATE TABLE app.t19 (v app.rc); INSERT INTO app.t19 VALUES ('[1,2]'); CREATE FUNCTION app.filled(hstore) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$SELECT app.attack('hstore')$$;
		CREATE CAST (hstore AS boolean) WITH FUNCTION app.filled(hstore)} ],
	[ 'a function of an extension that is taken from everybody, in an index', q{RESET SESSION AUTHORIZATION; REVOKE EXECUTE ON FUNCTION digest(text, text) FROM PUBLIC; CREATE TABLE app.t20 (v text); INSERT INTO app.t20 VALUES ('x'); CREATE INDEX ON app.t20 (digest(v, 'sha256'))} ],
	[ 'a security definer function', q{CREATE FUNCTION app.definer() RETURNS boolean LANGUAGE sql SECURITY DEFINER IMMUTABLE AS $$SELECT app.attack('definer')$$;
		CREATE TABLE app.t16 (v int CHECK (app.definer())); INSERT INTO app.t16 VALUES (1)} ],
	[ 'a foreign table', q{RESET SESSION AUTHORIZATION; CREATE SERVER live FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '/nowhere', dbname 'mfi_banking');
		CREATE USER MAPPING FOR teller SERVER live OPTIONS (user 'postgres', password 'x'); CREATE FOREIGN TABLE app.remote (v int CHECK (app.attack('foreign'))) SERVER live} ],
	[ 'a foreign table with columns like options', q{RESET SESSION AUTHORIZATION; CREATE FOREIGN TABLE app.options (program text, filename app.word, CHECK (filename = ANY ('{1}'::app.word[]))) SERVER live; ALTER FOREIGN TABLE app.options OWNER TO teller} ],
	# What only a superuser can make, in the middle of what a role has.
	[ 'an operator class', q{RESET SESSION AUTHORIZATION; CREATE FUNCTION app.cmp(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$BEGIN PERFORM app.attack('opclass'); RETURN btint4cmp($1, $2); END$$;
		ALTER FUNCTION app.cmp(int, int) OWNER TO teller; CREATE OPERATOR CLASS app.ops FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 3 =, FUNCTION 1 app.cmp(int, int);
		CREATE TABLE app.t17 (v int); INSERT INTO app.t17 VALUES (1), (2); CREATE INDEX ON app.t17 (v app.ops); ALTER TABLE app.t17 OWNER TO teller} ],
	[ 'a cast without function, a C function, a base type', q{RESET SESSION AUTHORIZATION; CREATE FUNCTION app.strict_eq(int, int) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT LEAKPROOF AS 'int4eq';
		CREATE TYPE app.base; CREATE FUNCTION app.base_in(cstring) RETURNS app.base LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
		CREATE FUNCTION app.base_out(app.base) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
		CREATE TYPE app.base (INPUT = app.base_in, OUTPUT = app.base_out, LIKE = int4); CREATE CAST (app.base AS int) WITHOUT FUNCTION; CREATE TABLE app.t18 (v app.base); INSERT INTO app.t18 VALUES ('7')} ],
	[ 'settings, event triggers, publications', q{RESET SESSION AUTHORIZATION; CREATE FUNCTION app.as_teller() RETURNS int LANGUAGE sql SET role = 'teller' AS 'SELECT 1'; CREATE FUNCTION app.logs() RETURNS int LANGUAGE sql SET log_min_messages = 'error' SET work_mem = '1MB' AS 'SELECT 1';
		CREATE FUNCTION app.ev() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN PERFORM app.attack('event'); END$$; ALTER FUNCTION app.ev() OWNER TO teller;
		CREATE EVENT TRIGGER ev ON ddl_command_end EXECUTE FUNCTION app.ev(); CREATE PUBLICATION p FOR ALL TABLES; CREATE PUBLICATION q FOR TABLE app.t1 WHERE (v > 0);
		COMMENT ON EXTENSION dblink IS 'ours'; CREATE AGGREGATE app.total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0')} ],
	[ 'a trigger, a view and privileges by many', q{RESET SESSION AUTHORIZATION; CREATE VIEW app.v AS SELECT app.attack('view') AS a; ALTER VIEW app.v OWNER TO teller; GRANT SELECT ON app.v TO auditor;
		ALTER DEFAULT PRIVILEGES FOR ROLE teller IN SCHEMA app GRANT SELECT ON TABLES TO auditor; GRANT SELECT ON portals TO teller WITH GRANT OPTION;
		SET SESSION AUTHORIZATION teller; GRANT SELECT ON portals TO auditor; RESET SESSION AUTHORIZATION; REVOKE EXECUTE ON FUNCTION dblink_get_pkey(text) FROM PUBLIC; GRANT EXECUTE ON FUNCTION dblink_get_pkey(text) TO teller;
		SELECT lo_from_bytea(4711, 'large'); ALTER LARGE OBJECT 4711 OWNER TO teller} ]);

for my $kind (@kinds)
{
	my ($name, $sql) = @$kind;
	$node->safe_psql('mfi_banking', "SET SESSION AUTHORIZATION teller; $sql");
}
unlink glob("$marks/live-*");    # what the test's own superuser ran
my $id = $node->backup_ok;
is($node->run($id, 'verify_method, verify_result, error, proof_sandbox'), 'restore|ok||whole', 'every kind of object, harmless on the source, is proven');
is($node->sql("SELECT mfi_backup_verify('$id')"), 'ok', 'and proven again on request');
is(join(' ', sort grep { !/^\.+$/ } slurp_dir($marks)), '', 'no marker of any of them');
is($node->sql(q{SELECT rolsuper FROM pg_roles WHERE rolname = 'teller'}), 'f', 'the role is no superuser');
is($node->sql(q{SELECT to_regclass('public.marked') IS NULL}), 't', 'nothing was made on the live side');

$node->sql('DROP EVENT TRIGGER ev');    # it fires for this test's superuser, too
unlink glob("$marks/live-*");

# As the owner of the database, and by a role that has everything granted.
$node->sql('ALTER DATABASE mfi_banking OWNER TO teller; GRANT ALL ON ALL TABLES IN SCHEMA public TO teller');
is($node->run($node->backup_ok, 'verify_method, verify_result, error'), 'restore|ok|', 'as owner of the database');
is(join(' ', grep { !/^\.+$/ } slurp_dir($marks)), '', 'no marker then either');

# What a role has planted on its own table while the counts of the source wait, or what a plan would compute: no superuser runs it.
my $is_unharmed = sub {
	my ($name) = @_;
	is(join(' ', sort grep { !/^\.+$/ } slurp_dir($marks)), '', "$name: nothing of it runs");
	return;
};
$node->sql(<<"SQL");
SET SESSION AUTHORIZATION teller;
CREATE TABLE app.planned (v int, w int); INSERT INTO app.planned VALUES (1, 2);
CREATE INDEX ON app.planned (v) WHERE app.attack('planned-predicate'); CREATE INDEX ON app.planned (app.number('planned-index'));
CREATE STATISTICS app.st ON (app.number('planned-statistics')), v FROM app.planned;
CREATE TABLE app.swapped (v int); INSERT INTO app.swapped VALUES (1);
SQL
is($node->run($node->backup_ok, 'verify_method, verify_result, error'), 'restore|ok|', 'constant parts of indexes and statistics');
$is_unharmed->('the session that counts');
# A sequence, which is read and not copied, by the counts and by pg_dump.
for my $kind ('', 'UNLOGGED ')
{
	$node->sql("SET ROLE teller; CREATE $kind SEQUENCE app.counter");
	my $session = $node->background_psql('mfi_banking');
	$session->query_safe("SET SESSION AUTHORIZATION teller; BEGIN; DROP SEQUENCE app.counter; CREATE TABLE app.counter (last_value bigint, is_called boolean, log_cnt bigint); INSERT INTO app.counter VALUES (1, true, 0);
		CREATE INDEX ON app.counter (last_value) WHERE app.attack('counter')");
	my $run = $node->backup;
	$node->wait_sql("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'mfi backup %' AND wait_event_type = 'Lock')");
	$session->query_safe('COMMIT');
	$session->quit;
	$node->wait_sql("SELECT finished_at IS NOT NULL FROM mfi_backups WHERE id = '$run'");
	like($node->run($run, 'state, error'), qr/^failed\|a sequence was dropped or replaced while the backup began/, "${kind}sequence replaced: the run says so");
	$is_unharmed->("a table in the place of an ${kind}sequence");
	$node->sql('DROP TABLE app.counter');
}

# A lock of a role's is not waited for without end.
$node->set('mfi.backup_lock_timeout' => "'500ms'");
for my $lock ('LOCK TABLE app.swapped IN ACCESS EXCLUSIVE MODE', 'ALTER SEQUENCE app.held OWNED BY NONE')
{
	$node->sql('SET ROLE teller; CREATE SEQUENCE IF NOT EXISTS app.held');
	my $session = $node->background_psql('mfi_banking');
	$session->query_safe("SET SESSION AUTHORIZATION teller; BEGIN; $lock");
	like($node->error('SELECT mfi_backup_now(wait => true)'), qr/another transaction holds it locked|could not be locked within 500 ms: process \d+ of role postgres/, "not waited for without end: $lock");
	$session->quit;
}
$node->set('mfi.backup_lock_timeout' => "'1min'");
for my $planted (q{VIEW app.swapped AS SELECT app.number('view') AS v}, 'FOREIGN TABLE app.swapped (v int) SERVER live', 'TABLE app.swapped (v int)')
{
	my $session = $node->background_psql('mfi_banking');
	$session->query_safe('SET ROLE teller; BEGIN; LOCK TABLE app.swapped IN ACCESS EXCLUSIVE MODE;');
	my $run = $node->backup;
	$node->wait_held($run);
	$session->query_safe("ALTER TABLE app.swapped RENAME TO gone; @{[ $planted =~ /^FOREIGN/ ? 'RESET ROLE;' : '' ]} CREATE $planted; COMMIT;");
	$session->quit;
	$node->wait_sql("SELECT finished_at IS NOT NULL FROM mfi_backups WHERE id = '$run'");
	my $kind = $planted =~ s/ app.*//r;
	$is_unharmed->("a $kind put in a table's place while the dump waits");
	$node->sql("DROP $kind app.swapped; ALTER TABLE app.gone RENAME TO swapped; ALTER TABLE app.swapped OWNER TO teller");
}

# Roles may have the names that the proof would take.
$node->sql('CREATE ROLE mfi_restorer SUPERUSER; CREATE ROLE mfi_scratch_owner LOGIN; ALTER TABLE app.t1 OWNER TO mfi_restorer; ALTER TABLE app.t2 OWNER TO mfi_scratch_owner');
is($node->run($node->backup_ok, 'verify_method, verify_result, error'), 'restore|ok|', 'the names of its own roles are taken');

$node->stop;
done_testing();
