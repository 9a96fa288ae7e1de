# Rows of the audit tables that are changed or replaced are noticed by what they contain, whoever switches the trigger off for a moment; what only
# moves them is no reason. Work that fails or hangs on one table is told, and keeps no other table waiting.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";
use MfiNode;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = MfiNode->bank('bank', conf => "log_statement = none\nmfi.backup_verify = list\n");
$node->sql('CREATE ROLE app LOGIN; CREATE ROLE referrer LOGIN; CREATE ROLE monitor LOGIN IN ROLE pg_monitor; CREATE SCHEMA app AUTHORIZATION app; CREATE SCHEMA referrer AUTHORIZATION referrer; GRANT USAGE ON SCHEMA mfi_audit TO app; GRANT USAGE ON SCHEMA app TO PUBLIC');
my $log = q{INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) SELECT 'LOGIN', 'c' || n, 'r', };
my $month = 'mfi_audit.user_auth_logs_202502';
my $default = 'mfi_audit.user_auth_logs_default';
my $current = $node->sql(q{SELECT _mfi_partition_name('user_auth_logs', _mfi_month(now()))});
$node->sql("$log timestamptz '2025-02-01 00:00Z' + n * interval '1 hour' FROM generate_series(1, 40) n; $log timestamptz '1999-02-01 00:00Z' + n * interval '1 hour' FROM generate_series(1, 40) n; $log now() FROM generate_series(1, 40) n; SELECT mfi_audit_ensure_partitions(3)");
my $give = q{DO $$ DECLARE r regclass; BEGIN FOR r IN SELECT relid FROM pg_partition_tree('user_auth_logs') LOOP EXECUTE format('ALTER TABLE %s OWNER TO app', r); END LOOP; END $$};
$node->sql("SELECT _mfi_watch_audit(); $give; UPDATE mfi.audit_watch SET owner = 'app' WHERE relation = 'user_auth_logs'");

my $watch = q{UPDATE mfi.audit_watch SET counted_at = '-infinity'; DO $$ BEGIN WHILE _mfi_watch_audit() LOOP NULL; END LOOP; END $$};
sub health { return $node->safe_psql('mfi_banking', q{SELECT reasons::text FROM mfi_health('node')}, extra_params => [ '-U', 'monitor' ]) =~ s/audit-rows-outside//r }
sub app { return $node->safe_psql('mfi_banking', $_[0], extra_params => [ '-U', 'app' ]) }
sub told
{
	my ($what, $reason) = @_;
	$node->sql($watch);
	like(health(), $reason, "told: $what");
	$node->sql("DELETE FROM mfi.audit_watch WHERE relation LIKE 'mfi_audit.%'; $watch");
	unlike(health(), qr/audit-/, 'and accepted');
	return;
}
sub not_told
{
	my ($what) = @_;
	$node->sql($watch);
	unlike(health(), qr/audit-/, "not told: $what");
	return;
}
not_told('new tables');

# Each in one transaction of the owner, who leaves the triggers as they were.
sub without_trigger { my ($relation, $work) = @_; return "BEGIN; ALTER TABLE $relation DISABLE TRIGGER append_only; $work; ALTER TABLE $relation ENABLE TRIGGER append_only; COMMIT" }
my $fakes = sub { "INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time, created_on) SELECT 'LOGIN', 'fake', realm_id, event_time, created_on FROM app.kept" };
for my $relation ($month, $current, $default)
{
	app(without_trigger($relation, "UPDATE $relation SET client_id = 'forged' WHERE client_id = 'c7'"));
	told("one row of $relation is updated", qr/audit-rows-changed: rows of \Q$relation\E are not/);
	app(without_trigger($relation, "DELETE FROM $relation WHERE client_id = 'c8'"));
	told("one row of $relation is deleted", qr/audit-rows-changed: rows of \Q$relation\E are not/);
	app(without_trigger($relation, "CREATE TABLE app.kept AS SELECT * FROM $relation; DELETE FROM $relation; " . $fakes->() . '; DROP TABLE app.kept'));
	told("rows of $relation are replaced by as many, of the same times", qr/audit-rows-changed: rows of \Q$relation\E are not/);
	app(without_trigger($relation, "CREATE TABLE app.kept AS SELECT * FROM $relation; TRUNCATE $relation; " . $fakes->() . '; ' . $fakes->() . '; DROP TABLE app.kept'));
	told("rows of $relation are replaced by more", qr/audit-rows-changed: rows of \Q$relation\E are not/);
}
app(q{ALTER TABLE user_auth_logs ALTER COLUMN realm_id TYPE text USING 'forged'});
told('a column gets other values by ALTER TABLE, which fires no trigger', qr/audit-rows-changed: rows of \Q$month\E/);
app('ALTER TABLE user_auth_logs ADD COLUMN own text; ALTER TABLE user_auth_logs DROP COLUMN error');
$node->sql($watch);
unlike(health(), qr/audit-rows-changed: rows of (?!\Q$month\E|\Q$default\E|\Q$current\E)/, 'not of months without rows');
told('a column is dropped', qr/audit-rows-changed: rows of \Q$month\E/);
app("ALTER TABLE user_auth_logs DROP COLUMN own, ADD COLUMN own text DEFAULT 'forged'; INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) VALUES ('LOGIN', 'c', 'r', '2025-02-21')");
told('a column is replaced, which writes no row, and a row comes late', qr/audit-rows-changed: rows of \Q$month\E/);
my $idle = $node->background_psql('mfi_banking');
$idle->query_safe('BEGIN; SELECT pg_current_xact_id()');
not_told('a transaction that is open for long');
app(without_trigger($month, "UPDATE $month SET client_id = 'forged'"));
told('one row is updated while a transaction is open', qr/audit-rows-changed: rows of \Q$month\E/);
$idle->quit;
app("ALTER TABLE user_auth_logs ADD COLUMN error text; ALTER TABLE user_auth_logs DETACH PARTITION $month");
told('a month is taken off the table', qr/audit-rows-missing: \Q$month\E is gone/);
app("ALTER TABLE user_auth_logs ATTACH PARTITION $month FOR VALUES FROM ('2025-02-01 00:00Z') TO ('2025-03-01 00:00Z')");
$node->sql('SELECT mfi_migrate_schema()');

# What only moves rows, or adds some.
not_told('a month that is back');
$node->sql("VACUUM FULL $month, $default, $current");
not_told('VACUUM FULL');
$node->sql("CLUSTER $month USING " . $node->sql("SELECT relname FROM pg_class JOIN pg_index ON indexrelid = oid WHERE indrelid = '$month'::regclass LIMIT 1"));
not_told('CLUSTER');
$node->sql("ANALYZE; VACUUM (FREEZE) $month");
not_told('ANALYZE, FREEZE');
app(q{ALTER TABLE user_auth_logs ADD COLUMN rewritten uuid DEFAULT gen_random_uuid(), ALTER COLUMN client_id TYPE varchar(100)});
not_told('ALTER TABLE that rewrites all rows and leaves what they say');
$node->sql("$log timestamptz '2025-02-20' FROM generate_series(1, 5) n; $log timestamptz '1999-02-20' FROM generate_series(1, 5) n");
not_told('late rows');
$node->sql("INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time, created_on) VALUES ('LOGIN', 'c', 'r', '2025-02-21', '2025-02-21')");
told('a late row that says that it was written long ago', qr/audit-rows-changed: rows of \Q$month\E .*added with an earlier created_on/);
app("ALTER TABLE user_auth_logs DETACH PARTITION $default");
like(health(), qr/audit-partitions-missing: .*\Q$default\E/, 'told: the default partition is taken off');
app("ALTER TABLE user_auth_logs ATTACH PARTITION $default DEFAULT");
not_told('it is back');
my $writer = $node->background_psql('mfi_banking');
$writer->query_safe("BEGIN; $log timestamptz '2025-02-22' FROM generate_series(1, 5) n");
not_told('rows that are being written');
$writer->query_safe('COMMIT');
$writer->quit;
not_told('rows that were being written when they were counted');
$node->sql("$log timestamptz '2011-05-20' FROM generate_series(1, 5) n; BEGIN; SELECT count(*) FROM mfi_audit_ensure_partitions(3); ROLLBACK");
not_told('rows that were to move to their month');
is($node->sql('SELECT count(*) FROM mfi_audit_ensure_partitions(3)'), '1', 'they move');
not_told('rows that moved to their month');
$node->psql('mfi_banking', "DELETE FROM $month");
not_told('a DELETE that was refused');
my $dump = PostgreSQL::Test::Utils::tempdir . '/dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, 'mfi_banking' ], 'dumped');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '-d', 'restored', $dump ], 'restored');
$node->safe_psql('restored', "SET timezone = 'Asia/Kabul'; SET datestyle = 'German'; $watch");
unlike($node->safe_psql('restored', q{SELECT reasons::text FROM mfi_health('node')}), qr/audit-(?!rows-outside)/, 'not told: dump and restore');
is($node->safe_psql('restored', q{SELECT count(*) FROM mfi.audit_watch WHERE relation ~ '_202502$' AND print_rows > 40}), '1', 'it was counted there');

# What is around the tables.
$node->sql(q{CREATE FUNCTION app.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'});
for my $case (
	[ q{CREATE TABLE app.above (LIKE public.user_auth_logs) PARTITION BY RANGE (event_time); ALTER TABLE app.above ATTACH PARTITION public.user_auth_logs DEFAULT; CREATE TRIGGER s BEFORE INSERT ON app.above FOR EACH ROW EXECUTE FUNCTION app.swallow()},
		qr/audit-attached: (?:public\.)?user_auth_logs is a partition of app.above/, qr/audit-foreign-trigger: trigger s of (?:public\.)?user_auth_logs/, 'ALTER TABLE app.above DETACH PARTITION public.user_auth_logs; DROP TABLE app.above' ],
	[ q{CREATE TABLE app.sub PARTITION OF public.user_auth_logs FOR VALUES FROM ('2030-01-01 00:00Z') TO ('2030-02-01 00:00Z') PARTITION BY RANGE (event_time);
		CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON app.sub EXECUTE FUNCTION public._mfi_refuse_change(); CREATE TABLE app.leaf PARTITION OF app.sub DEFAULT; CREATE TRIGGER s BEFORE INSERT ON app.leaf FOR EACH ROW EXECUTE FUNCTION app.swallow()},
		qr/audit-unprotected: rows of app.leaf/, qr/audit-foreign-trigger: trigger s of app.leaf/, 'DROP TABLE app.sub' ],
	[ "CREATE POLICY p ON $month USING (true); ALTER TABLE $month ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY", qr/audit-row-security: row-level security of \Q$month\E/, qr/audit-work-failed: .*\Q$month\E: query would be affected/,
		"ALTER TABLE $month DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY; DROP POLICY p ON $month" ],
	[ q{CREATE TABLE app.user_auth_logs_999999 PARTITION OF public.user_auth_logs FOR VALUES FROM ('2031-01-01 00:00Z') TO ('2031-02-01 00:00Z')}, qr/audit-unprotected: rows of app.user_auth_logs_999999/, qr/audit-/, 'DROP TABLE app.user_auth_logs_999999' ])
{
	my ($do, $reason, $other, $undo) = @$case;
	app($do);
	$node->sql($watch);
	like(health(), $reason, $do);
	like(health(), $other, 'and that');
	app($undo);
	not_told('once it is mended');
}
# The last month is counted although the first one cannot be.
app("CREATE POLICY p ON $month USING (true); ALTER TABLE $month ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; " . without_trigger($current, "UPDATE $current SET client_id = 'forged'"));
$node->sql($watch);
like(health(), qr/audit-rows-changed: rows of \Q$current\E/, 'one that cannot be counted hides no other');
app("ALTER TABLE $month DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY; DROP POLICY p ON $month");
$node->sql("DELETE FROM mfi.audit_watch WHERE relation LIKE 'mfi_audit.%'; $watch");

# A foreign key onto a row of the default partition keeps it from moving; the other tables get their partitions.
my $take = q{DO $$ DECLARE name text; BEGIN FOREACH name IN ARRAY _mfi_audit_tables() LOOP EXECUTE 'DROP TABLE IF EXISTS ' || _mfi_partition_name(name, _mfi_month(now(), 3)); END LOOP; END $$};
my $made = q{SELECT string_agg(name, ',' ORDER BY name) FROM unnest(_mfi_audit_tables()) AS name WHERE to_regclass(_mfi_partition_name(name, _mfi_month(now(), 3))) IS NOT NULL};
$node->sql($take);
$node->sql("GRANT REFERENCES, SELECT ON user_auth_logs TO referrer; $log timestamptz '2012-01-01' FROM generate_series(1, 5) n");
$node->safe_psql('mfi_banking', q{CREATE TABLE referrer.refers (id uuid, t timestamptz, FOREIGN KEY (id, t) REFERENCES public.user_auth_logs (id, event_time)); INSERT INTO referrer.refers SELECT id, event_time FROM public.user_auth_logs WHERE event_time < '2013-01-01'}, extra_params => [ '-U', 'referrer' ]);
is($node->sql('SELECT _mfi_maintain()'), 't', 'maintained');
is($node->sql($made), 'admin_event_logs,mfi_user_activity_logs,user_activity_logs', 'all but that table');
like(health(), qr/audit-referenced: constraint refers_id_t_fkey on table referrer.refers refers to (?:public\.)?user_auth_logs/, 'the foreign key is told');
like(health(), qr/audit-work-failed: the worker could not do its work on user_auth_logs: .*refers_id_t_fkey/, 'and what failed');
$node->safe_psql('mfi_banking', 'DROP TABLE referrer.refers', extra_params => [ '-U', 'referrer' ]);
is($node->sql('SELECT _mfi_maintain()'), 't', 'maintained again');
is($node->sql($made), 'admin_event_logs,mfi_user_activity_logs,user_activity_logs,user_auth_logs', 'that table, too');
not_told('a foreign key that was there');

# What the planner computes sleeps for ever: the statement is cancelled, that is told, and the other tables are served.
app(q{CREATE FUNCTION app.sleeps() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN IF current_user <> session_user THEN PERFORM pg_sleep(100000); END IF; RETURN true; END $$;
	CREATE FUNCTION app.asleep() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN app.sleeps(); END'}
	  . "; CREATE STATISTICS app.asleep ON (app.asleep() OR client_id IS NULL), event_time FROM $default; ANALYZE $default");
$node->sql($take);
$node->sql(q{ALTER FUNCTION _mfi_maintain_table(text) SET statement_timeout = '2s'});
my $others = qr/^admin_event_logs,mfi_user_activity_logs,user_activity_logs$/;
$node->restart;
$node->wait_until('the other tables are served', sub { $node->sql($made) =~ $others });
like(health(), qr/audit-work-failed: the worker could not do its work on user_auth_logs: canceling statement due to statement timeout/, 'what did not end is told');
like(health(), qr/^\{/, 'and whoever asks waits for nothing');

# Whoever catches that, too, ends the worker; the next one begins with the other tables.
app(q{CREATE OR REPLACE FUNCTION app.sleeps() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
	IF current_user = session_user THEN RETURN true; END IF;
	LOOP BEGIN PERFORM pg_sleep(100000); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$});
$node->sql($take);
$node->restart;
my $hangs = q{w.relation = 'user_auth_logs' AND w.begun_at > coalesce(w.ended_at, '-infinity')};
$node->wait_sql("SELECT $hangs AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'mfi maintainer') FROM mfi.audit_watch w WHERE w.relation = 'user_auth_logs'");
pass('the worker that hung is gone');
$node->restart;
$node->wait_until('the other tables are served', sub { $node->sql($made) =~ $others });
pass('the other tables are served');
$node->sql(q{UPDATE mfi.audit_watch SET begun_at = begun_at - interval '5 minutes', ended_at = ended_at - interval '5 minutes' WHERE relation = 'user_auth_logs'});
like(health(), qr/audit-work-failed: the worker could not do its work on user_auth_logs: what was begun at .* has not ended/, 'and it is told');
$node->stop;
done_testing();
