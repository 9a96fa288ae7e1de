# What is around the audit tables is noticed; their rows are counted by what is there, whatever their owner has put on them. Work that fails,
# waits or hangs on one table is told, and keeps no other table waiting.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
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

my $watch = q{UPDATE mfi.audit_watch SET counted_at = '-infinity', tried_at = NULL; DO $$ BEGIN WHILE _mfi_watch_audit() LOOP NULL; END LOOP; END $$};
sub health { return $node->safe_psql('mfi_banking', q{SELECT reasons::text FROM mfi_health('node')}, extra_params => [ '-U', 'monitor' ]) =~ s/audit-rows-outside//r }
sub app { return $node->safe_psql('mfi_banking', $_[0], extra_params => [ '-U', 'app' ]) }
sub not_told
{
	my ($what) = @_;
	$node->sql($watch);
	unlike(health(), qr/audit-/, "not told: $what");
	return;
}
not_told('new tables');

# What is around the tables.
$node->sql(q{CREATE FUNCTION app.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'});
for my $case (
	[ q{CREATE TABLE app.above (LIKE public.user_auth_logs) PARTITION BY RANGE (event_time); ALTER TABLE app.above ATTACH PARTITION public.user_auth_logs DEFAULT; CREATE TRIGGER s BEFORE INSERT ON app.above FOR EACH ROW EXECUTE FUNCTION app.swallow()},
		qr/audit-attached: (?:public\.)?user_auth_logs is a partition of app.above/, qr/audit-foreign-trigger: trigger s of (?:public\.)?user_auth_logs/, 'ALTER TABLE app.above DETACH PARTITION public.user_auth_logs; DROP TABLE app.above' ],
	[ q{CREATE TABLE app.sub PARTITION OF public.user_auth_logs FOR VALUES FROM ('2030-01-01 00:00Z') TO ('2030-02-01 00:00Z') PARTITION BY RANGE (event_time);
		CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON app.sub EXECUTE FUNCTION public._mfi_refuse_change(); CREATE TABLE app.leaf PARTITION OF app.sub DEFAULT; CREATE TRIGGER s BEFORE INSERT ON app.leaf FOR EACH ROW EXECUTE FUNCTION app.swallow()},
		qr/audit-unprotected: rows of app.leaf/, qr/audit-foreign-trigger: trigger s of app.leaf/, 'DROP TABLE app.sub' ],
	[ "CREATE POLICY p ON $month USING (true); ALTER TABLE $month ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY", qr/audit-row-security: row-level security of \Q$month\E/, qr/audit-row-security/,
		"ALTER TABLE $month DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY; DROP POLICY p ON $month" ],
	[ "ALTER TABLE user_auth_logs DETACH PARTITION $default", qr/audit-partitions-missing: [^"]*\Q$default\E/, qr/audit-/, "ALTER TABLE user_auth_logs ATTACH PARTITION $default DEFAULT" ],
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

# Counted by a scan: no index lies to it, and nothing of the owner's runs or fails it.
app(q{CREATE FUNCTION app.lies() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN IF current_user <> session_user OR session_user <> 'app' THEN RAISE EXCEPTION 'x' USING ERRCODE = '55P03'; END IF; RETURN false; END $$;
	CREATE FUNCTION app.lying() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN app.lies(); END'}
	  . "; CREATE STATISTICS app.lying ON (app.lying() OR client_id IS NULL), event_time FROM $month; ANALYZE $month");
$node->sql("UPDATE mfi.audit_watch SET expected = 41, backup = 'b' WHERE relation = '$month'; $watch");
like(health(), qr/audit-rows-missing: \Q$month\E has 40 of the 41 rows that backup b has/, 'the rows are counted');
$node->sql("UPDATE mfi.audit_watch SET expected = NULL, backup = NULL WHERE relation = '$month'");
app('DROP STATISTICS app.lying');

# A lock that stays is told when it has stayed for long; the other months and tables are served.
my $locker = $node->background_psql('mfi_banking', extra_params => [ '-U', 'app' ]);
$locker->query_safe("BEGIN; LOCK TABLE $month IN ACCESS EXCLUSIVE MODE");
$node->sql($watch);
is($node->sql("SELECT waits_since IS NOT NULL FROM mfi.audit_watch WHERE relation = '$month'"), 't', 'a count that waits is noted');
unlike(health(), qr/audit-work-failed/, 'and not told at once');
$node->sql("UPDATE mfi.audit_watch SET waits_since = waits_since - interval '25 hours' WHERE relation = '$month'");
$node->sql($watch);
like(health(), qr/audit-work-failed: the worker could not do its work on \Q$month\E: it has been locked by others each time since/, 'but after a day');
$locker->quit;
not_told('a lock that is gone');
my $step = q{DO $$ BEGIN WHILE _mfi_maintain_step() LOOP NULL; END LOOP; END $$};

# A foreign key onto a row of the default partition keeps it from moving; the other tables get their partitions.
my $take = q{DO $$ DECLARE name text; BEGIN FOREACH name IN ARRAY _mfi_audit_tables() LOOP EXECUTE 'DROP TABLE IF EXISTS ' || _mfi_partition_name(name, _mfi_month(now(), 3)); END LOOP; END $$};
my $made = q{SELECT string_agg(name, ',' ORDER BY name) FROM unnest(_mfi_audit_tables()) AS name WHERE to_regclass(_mfi_partition_name(name, _mfi_month(now(), 3))) IS NOT NULL};
$node->sql($take);
$node->sql("GRANT REFERENCES, SELECT ON user_auth_logs TO referrer; $log timestamptz '2012-01-01' FROM generate_series(1, 5) n");
$node->safe_psql('mfi_banking', q{CREATE TABLE referrer.refers (id uuid, t timestamptz, FOREIGN KEY (id, t) REFERENCES public.user_auth_logs (id, event_time)); INSERT INTO referrer.refers SELECT id, event_time FROM public.user_auth_logs WHERE event_time < '2013-01-01'}, extra_params => [ '-U', 'referrer' ]);
is($node->sql('SELECT _mfi_maintain()'), 't', 'maintained');
is($node->sql($made), 'admin_event_logs,mfi_user_activity_logs,user_activity_logs,user_auth_logs', 'the months to come are there');
is($node->sql(q{SELECT count(*) FROM user_auth_logs WHERE tableoid = 'mfi_audit.user_auth_logs_default'::regclass AND event_time >= '2012-01-01'}), '5', 'but the rows stay outside of theirs');
like($node->sql('SELECT * FROM mfi_audit_ensure_partitions(3)'), qr/rows of user_auth_logs stay in mfi_audit.user_auth_logs_default: constraint refers_id_t_fkey on table referrer.refers refers to it/, 'whoever calls is told why');
like(health(), qr/audit-referenced: constraint refers_id_t_fkey on table referrer.refers refers to (?:public\.)?user_auth_logs/, 'the foreign key is told');
$node->safe_psql('mfi_banking', 'DROP TABLE referrer.refers', extra_params => [ '-U', 'referrer' ]);
is($node->sql('SELECT _mfi_maintain()'), 't', 'maintained again');
is($node->sql(q{SELECT count(*) FROM mfi_audit.user_auth_logs_201201}), '5', 'the rows move to their month');
not_told('a foreign key that was there');

# Whoever may read the catalog can hold locks on partitions: the other tables are served, and it is told when it lasts.
$node->sql($take);
my $looker = $node->background_psql('mfi_banking', extra_params => [ '-U', 'referrer' ]);
$looker->query_safe("BEGIN; SELECT count(*) FROM pg_partition_tree('public.user_auth_logs')");
$node->sql("UPDATE mfi.audit_watch SET begun_at = NULL; $step");
is($node->sql($made), 'admin_event_logs,mfi_user_activity_logs,user_activity_logs', 'the other tables are served');
$node->sql(q{UPDATE mfi.audit_watch SET waits_since = waits_since - interval '25 hours' WHERE waits_since IS NOT NULL});
like(health(), qr/audit-work-failed: the worker could not do its work on user_auth_logs: it has been locked by others/, 'and it is told after a day');
$looker->quit;
$node->sql("UPDATE mfi.audit_watch SET tried_at = NULL; $step");
is($node->sql($made), 'admin_event_logs,mfi_user_activity_logs,user_activity_logs,user_auth_logs', 'then that table is, too');
not_told('a lock that is gone');

# What the planner computes, when rows move to their month, sleeps for ever: the statement is cancelled, that is told, and the other tables are served.
app(q{CREATE FUNCTION app.sleeps() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN IF current_user <> session_user THEN PERFORM pg_sleep(100000); END IF; RETURN true; END $$;
	CREATE FUNCTION app.asleep() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN app.sleeps(); END'}
	  . "; CREATE STATISTICS app.asleep ON (app.asleep() OR client_id IS NULL), event_time FROM $default; ANALYZE $default");
$node->sql("$take; $log timestamptz '2015-05-05' FROM generate_series(1, 5) n");
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
