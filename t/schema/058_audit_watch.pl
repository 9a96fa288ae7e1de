# The audit tables are watched: triggers that are disabled, missing or replaced, triggers and rules of others, another owner, rows that a proven
# backup had. Each is a reason in the verdict, on one partition too; harmless things are none.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use Test::More;

my $node = MfiNode->bank('bank', conf => "log_statement = none\nmfi.backup_verify = restore\n");
$node->sql('CREATE ROLE app LOGIN; CREATE ROLE monitor LOGIN IN ROLE pg_monitor');
$node->sql(q{INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) SELECT 'LOGIN', 'c', 'r', timestamptz '2025-02-01 00:00Z' + n * interval '1 hour' FROM generate_series(1, 40) n;
	SELECT mfi_audit_ensure_partitions(3)});
sub verdict { return $node->safe_psql('mfi_banking', q{SELECT verdict, reasons::text, next_steps::text FROM mfi_health('node')}, extra_params => [ '-U', 'monitor' ]) }
# Rows of 1999, once they are there, stay outside of every month.
sub health { return verdict() =~ s/audit-rows-outside//r }
unlike(health(), qr/audit-/, 'nothing to say of new tables');

# What is done, what is found, and what mends it.
$node->sql(q{CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; GRANT TRIGGER ON user_auth_logs, mfi_audit.user_auth_logs_202502 TO app; GRANT USAGE ON SCHEMA mfi_audit TO app});
for my $case (
	[ 'ALTER TABLE user_auth_logs DISABLE TRIGGER append_only', qr/audit-unprotected: rows of (?:public\.)?user_auth_logs can be changed and deleted: its trigger append_only is disabled/, 'ALTER TABLE user_auth_logs ENABLE TRIGGER append_only' ],
	[ 'ALTER TABLE mfi_audit.user_auth_logs_202502 DISABLE TRIGGER ALL', qr/audit-unprotected: rows of mfi_audit.user_auth_logs_202502 can/, 'ALTER TABLE mfi_audit.user_auth_logs_202502 ENABLE TRIGGER ALL' ],
	[ 'ALTER TABLE mfi_audit.user_auth_logs_default ENABLE REPLICA TRIGGER append_only', qr/audit-unprotected: rows of mfi_audit.user_auth_logs_default .* for replicas alone/, 'ALTER TABLE mfi_audit.user_auth_logs_default ENABLE TRIGGER append_only' ],
	[ 'DROP TRIGGER append_only ON mfi_audit.user_auth_logs_202502', qr/audit-unprotected: rows of mfi_audit.user_auth_logs_202502 .*append_only is missing/, 'SELECT mfi_migrate_schema()' ],
	[ 'DROP TRIGGER append_only ON mfi_audit.admin_event_logs_default; CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON mfi_audit.admin_event_logs_default FOR EACH ROW EXECUTE FUNCTION swallow()', qr/audit-unprotected: rows of mfi_audit.admin_event_logs_default .*not the one that mfi makes/, 'DROP TRIGGER append_only ON mfi_audit.admin_event_logs_default; SELECT mfi_migrate_schema()' ],
	[ 'DROP TRIGGER append_only ON admin_event_logs; CREATE TRIGGER append_only BEFORE UPDATE ON admin_event_logs EXECUTE FUNCTION _mfi_refuse_change()', qr/audit-unprotected: rows of (?:public\.)?admin_event_logs .*not the one that mfi makes/, 'DROP TRIGGER append_only ON admin_event_logs; SELECT mfi_migrate_schema()' ],
	[ 'SET ROLE app; CREATE TRIGGER t BEFORE INSERT ON mfi_audit.user_auth_logs_202502 FOR EACH ROW EXECUTE FUNCTION swallow()', qr/audit-foreign-trigger: trigger t of mfi_audit.user_auth_logs_202502/, 'DROP TRIGGER t ON mfi_audit.user_auth_logs_202502' ],
	[ 'SET ROLE app; CREATE TRIGGER t BEFORE INSERT ON user_auth_logs FOR EACH STATEMENT EXECUTE FUNCTION swallow()', qr/audit-foreign-trigger: trigger t of (?:public\.)?user_auth_logs/, 'DROP TRIGGER t ON user_auth_logs' ],
	[ 'CREATE RULE r AS ON INSERT TO mfi_user_activity_logs DO INSTEAD NOTHING', qr/audit-foreign-trigger: rule r of (?:public\.)?mfi_user_activity_logs/, 'DROP RULE r ON mfi_user_activity_logs' ],
	[ 'ALTER TABLE mfi_audit.user_auth_logs_202502 OWNER TO app', qr/audit-owner-changed: mfi_audit.user_auth_logs_202502 belongs to app, not to postgres/, 'ALTER TABLE mfi_audit.user_auth_logs_202502 OWNER TO postgres' ],
	[ 'SELECT _mfi_watch_audit(); ALTER TABLE ONLY user_activity_logs OWNER TO app', qr/audit-owner-changed: (?:public\.)?user_activity_logs belongs to app, not to postgres as before/, 'ALTER TABLE user_activity_logs OWNER TO postgres' ])
{
	my ($do, $reason, $undo) = @$case;
	$node->sql($do);
	like(health(), qr/^warning\|.*$reason/, $do);
	$node->sql($undo);
	unlike(health(), qr/audit-/, "mended: $undo");
}
$node->sql('CREATE TRIGGER t AFTER INSERT ON user_auth_logs EXECUTE FUNCTION swallow(); ALTER TABLE user_auth_logs DISABLE TRIGGER t; CREATE INDEX ON user_auth_logs (client_id); ALTER TABLE user_auth_logs ENABLE ALWAYS TRIGGER append_only; ANALYZE');
unlike(health(), qr/audit-/, 'a trigger that is disabled, an index, ENABLE ALWAYS: nothing to say');

# Whoever asks for the verdict runs nothing of the tables' owners, not even what the planner would compute, and waits for nobody.
$node->sql(q{CREATE SCHEMA app AUTHORIZATION app; GRANT CREATE ON SCHEMA mfi_audit TO app; GRANT USAGE ON SCHEMA app TO PUBLIC; DO $$ DECLARE r regclass; BEGIN FOR r IN SELECT relid FROM pg_partition_tree('user_auth_logs') LOOP EXECUTE format('ALTER TABLE %s OWNER TO app', r); END LOOP; END $$;
	UPDATE mfi.audit_watch SET owner = 'app' WHERE relation ~ 'user_auth_logs$'});
$node->safe_psql('mfi_banking', q{
	CREATE FUNCTION app.acts() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN IF session_user <> 'app' THEN PERFORM set_config('search_path', 'app, pg_catalog, public', false); RAISE LOG 'planted <acts> ran as <%>', current_user; PERFORM pg_sleep(100000); END IF; RETURN true; END $$;
	CREATE FUNCTION app.constant() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN app.acts(); END';
	CREATE STATISTICS app.acts ON (app.constant() OR client_id IS NULL), event_time FROM mfi_audit.user_auth_logs_default;
	ALTER TABLE mfi_audit.user_auth_logs_default ADD CHECK (app.constant()) NOT VALID;
	CREATE INDEX ON mfi_audit.user_auth_logs_default (event_time) WHERE app.constant();
	INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) SELECT 'L', 'c' || n, 'r', timestamptz '1999-01-01' + n * interval '1 hour' FROM generate_series(1, 30) n; ANALYZE mfi_audit.user_auth_logs_default}, extra_params => [ '-U', 'app' ]);
my $asks = q{SET statement_timeout = '20s'; SELECT reasons::text FROM mfi_health('node'); SHOW search_path};
for my $role ('monitor', 'postgres')
{
	my $from = -s $node->logfile;
	like($node->safe_psql('mfi_banking', $asks, extra_params => [ '-U', $role ]), qr/audit-rows-outside: mfi_audit.user_auth_logs_default has 30 rows.*\n"\$user", public$/, "the verdict for $role, and the session as before");
	unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile, $from), qr/planted/, 'nothing of the owner ran');
}
my $holder = $node->background_psql('mfi_banking', extra_params => [ '-U', 'app' ]);
$holder->query_safe('BEGIN; LOCK TABLE user_auth_logs IN ACCESS EXCLUSIVE MODE');
like($node->safe_psql('mfi_banking', $asks, extra_params => [ '-U', 'monitor' ]), qr/audit-locked: mfi_audit.user_auth_logs_default is locked/, 'a lock on the table: told, not waited for');
$holder->quit;
$node->safe_psql('mfi_banking', q{DROP STATISTICS app.acts; DROP FUNCTION app.constant() CASCADE}, extra_params => [ '-U', 'app' ]);
$node->sql(q{DO $$ DECLARE r regclass; BEGIN FOR r IN SELECT relid FROM pg_partition_tree('user_auth_logs') LOOP EXECUTE format('ALTER TABLE %s OWNER TO postgres', r); END LOOP; END $$; UPDATE mfi.audit_watch SET owner = 'postgres' WHERE relation ~ 'user_auth_logs$'});

# Rows against the newest proof.
my $counted = q{SELECT rows, expected FROM mfi.audit_watch WHERE relation = 'mfi_audit.user_auth_logs_202502'};
my $watch = q{UPDATE mfi.audit_watch SET counted_at = '-infinity'; DO $$ BEGIN WHILE _mfi_watch_audit() LOOP NULL; END LOOP; END $$};
my $id = $node->backup_ok;
$node->sql($watch);
is($node->sql($counted), '40|40', 'counted when there is a proof');
$node->sql(q{INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) VALUES ('LOGIN', 'c', 'r', '2025-02-20')});
$node->sql('VACUUM ANALYZE');
$node->sql($watch);
unlike(health(), qr/audit-/, 'more rows are no reason');
$node->sql(q{INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) VALUES ('LOGIN', 'c', 'r', '2025-02-21')});
$id = $node->backup_ok;
$node->sql('DO $$ BEGIN WHILE _mfi_watch_audit() LOOP NULL; END LOOP; END $$');
is($node->sql($counted), '42|42', 'rows that came between a count and a proof are counted, though the count is of this minute');
unlike(health(), qr/audit-/, 'and are not missed');
$node->sql('ALTER TABLE mfi_audit.user_auth_logs_202502 DISABLE TRIGGER append_only; DELETE FROM mfi_audit.user_auth_logs_202502 WHERE event_time < \'2025-02-02\'; ALTER TABLE mfi_audit.user_auth_logs_202502 ENABLE TRIGGER append_only');
$node->wait_sql(q{SELECT pg_stat_get_tuples_deleted('mfi_audit.user_auth_logs_202502'::regclass) > 0});
$node->sql($watch);
my $left = $node->sql('SELECT count(*) FROM mfi_audit.user_auth_logs_202502');
like(health(), qr/^warning\|.*audit-rows-missing: mfi_audit.user_auth_logs_202502 has $left of the 42 rows that backup \Q$id\E has/, 'rows that were deleted are missed');
$node->backup_ok;
$node->sql($watch);
like(health(), qr/audit-rows-missing/, 'a later proof of what is left does not end that');
$node->sql(q{DELETE FROM mfi.audit_watch WHERE relation = 'mfi_audit.user_auth_logs_202502'});
$node->sql($watch);
unlike(health(), qr/audit-/, 'somebody says that it is right so');
$node->sql('ALTER TABLE mfi_audit.user_auth_logs_202502 DISABLE TRIGGER append_only; TRUNCATE mfi_audit.user_auth_logs_202502; ALTER TABLE mfi_audit.user_auth_logs_202502 ENABLE TRIGGER append_only');
$node->sql($watch);
like(health(), qr/audit-rows-missing: mfi_audit.user_auth_logs_202502 has 0 of the $left rows/, 'TRUNCATE is seen');
$node->sql('DROP TABLE mfi_audit.user_auth_logs_202502');
like(health(), qr/audit-rows-missing: mfi_audit.user_auth_logs_202502 is gone; backup/, 'so is DROP');
$node->sql(q{DELETE FROM mfi.audit_watch WHERE relation = 'mfi_audit.user_auth_logs_202502'});

# Months that expire are not missed.
$node->sql(q{INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) VALUES ('LOGIN', 'c', 'r', '2025-03-20'); SELECT mfi_audit_ensure_partitions(3)});
$node->backup_ok;
$node->sql($watch);
like($node->sql('SELECT * FROM mfi_audit_expire(1)'), qr/user_auth_logs_202503\|1\|dropped/, 'a month expires');
unlike(health(), qr/audit-/, 'and is not missed');

# A column that the verdict looks at, renamed: it says so, and stays a verdict.
$node->sql('ALTER TABLE user_auth_logs RENAME event_time TO at');
like(health(), qr/^warning\|.*audit-column-missing: mfi_audit.user_auth_logs_default has no column event_time/, 'a column is missed');
$node->sql('ALTER TABLE user_auth_logs RENAME at TO event_time');
unlike(health(), qr/audit-/, 'and found again');
$node->stop;
done_testing();
