# What keeps the worker from the audit partitions is in the verdict, with its own words; what need not keep it does not.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use Test::More;

my $node = MfiNode->bank('bank', streaming => 1);
my $take = q{DO $$ DECLARE name text; BEGIN FOREACH name IN ARRAY _mfi_audit_tables() LOOP EXECUTE 'DROP TABLE IF EXISTS ' || _mfi_partition_name(name, _mfi_month(now(), 1)); END LOOP; END $$};
my $made = q{SELECT count(*) = 4 FROM unnest(_mfi_audit_tables()) AS name WHERE to_regclass(_mfi_partition_name(name, _mfi_month(now(), 1))) IS NOT NULL};
my $says = sub { $node->wait_sql("SELECT reasons::text ~ '$_[0]' FROM mfi_health('node')") };
$node->wait_sql($made);

# A new worker begins at once when the watcher does.
my $begin = sub {
	my $watcher = $node->pid_of('mfi watcher');
	$node->sql("SELECT pg_terminate_backend($watcher)");
	$node->wait_sql("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'mfi watcher' AND pid <> $watcher)");
};

# The work as a whole fails: somebody's trigger on what it writes down.
$node->sql($take);
$node->sql(q{CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not on my watch' USING HINT = 'Ask the operator.'; END $$; CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON mfi.audit_watch FOR EACH ROW EXECUTE FUNCTION refuse(); ALTER TABLE mfi.audit_watch ENABLE ALWAYS TRIGGER refuse});
$begin->();
$says->('maintenance-failed: what keeps the audit partitions ahead could not do its work: not on my watch .Ask the operator');
like($node->sql("SELECT verdict, next_steps FROM mfi_health('node')"), qr/^warning\|.*it is tried again within the hour\. In database mfi_banking, SELECT mfi_audit_ensure_partitions\(3\)/s, 'an error: a warning, with what to do');
like($node->sql("SELECT reasons, next_steps FROM mfi_health('node')"), qr/audit-partitions-missing: .*unless maintenance-failed says what hinders it/s, 'no promise without it');
$node->sql('DROP TRIGGER refuse ON mfi.audit_watch');
$begin->();
$node->wait_sql($made);
$node->wait_sql("SELECT reasons::text !~ 'maintenance-failed|audit-partitions-missing' FROM mfi_health('node')");
pass('once it is taken away: made, and not told any more');

# Its process is ended, or no session of it may come to the database.
$node->sql($take);
my $locker = $node->background_psql('mfi_banking');
$locker->query_safe('BEGIN; LOCK TABLE mfi.schema_version IN ACCESS EXCLUSIVE MODE');
$begin->();
$node->wait_until('the maintainer that waits is ended', sub { $node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'mfi maintainer' AND wait_event_type = 'Lock'}) eq 't' });
$locker->quit;
$says->('maintenance-failed: .*its process ended before it had done its work .the server.s log says why');
pass('a process that is ended: told');

# A lock on what it needs beside the tables: it does not wait for long. Once is no news, twice is told, with who holds it.
$locker = $node->background_psql('mfi_banking');
my $holder = $locker->query_safe('SELECT pg_backend_pid(); BEGIN; LOCK TABLE mfi.schema_version IN ACCESS EXCLUSIVE MODE');
for my $attempt (1, 2)
{
	my $from = -s $node->logfile;
	$begin->();
	$node->wait_until("attempt $attempt has met the lock", sub { $node->log_contains(qr/"mfi maintainer" \(PID \d+\) exited/, $from) });
}
$locker->quit;
$says->("maintenance-failed: .*lock timeout: mfi.schema_version is locked by process $holder of ");
pass('a lock on another table of mfi: told, with who holds it');
$begin->();
$node->wait_sql($made);

# A lock on the tables: who is behind is named by pg_locks; the other tables are served.
$node->sql($take);
$locker = $node->background_psql('mfi_banking');
$locker->query_safe('BEGIN; LOCK TABLE mfi_audit.user_auth_logs_default IN ACCESS EXCLUSIVE MODE');
$begin->();
$holder = $locker->query_safe('SELECT pg_backend_pid()');
$says->("audit-partitions-missing: these audit partitions are not there: [^;]*; the worker tried, but user_auth_logs: locked by others since [^;]*, now by process $holder of ");
like($node->sql("SELECT next_steps FROM mfi_health('node')"), qr/Take away what hinders it \(SELECT pg_terminate_backend\(\.\.\.\) ends a process that holds a lock\)/, 'a lock: told at once where partitions are missing');
$locker->quit;
$begin->();
$node->wait_sql($made);

# Rows whose month has no partition: the worker moves them within seconds, or says what hinders it.
$node->sql(qq{INSERT INTO user_activity_logs (user_id, event_type_id, event_time) VALUES ('nobody', 1, NULL); INSERT INTO user_activity_logs (user_id, event_type_id, event_time) VALUES ('u', 1, '2024-02-03')});
$node->wait_sql(q{SELECT count(*) = 1 FROM mfi_audit.user_activity_logs_202402});
$node->wait_sql(q{SELECT reasons::text !~ 'audit-rows-outside' FROM mfi_health('node')});
pass('rows outside of their month are moved long before the hour');
$locker = $node->background_psql('mfi_banking');
$holder = $locker->query_safe('BEGIN; LOCK TABLE mfi_audit.user_activity_logs_202402 IN SHARE MODE; SELECT pg_backend_pid()');
$node->sql(q{INSERT INTO user_activity_logs (user_id, event_type_id, event_time) VALUES ('u', 1, '2024-03-03')});
$says->("audit-rows-outside: mfi_audit.user_activity_logs_default has 1 row [^;]*; the worker tried, but user_activity_logs: locked by others since [^;]*, now by process $holder of ");
like($node->sql("SELECT next_steps FROM mfi_health('node')"), qr/Take away what hinders it, then SELECT mfi_audit_ensure_partitions\(3\)/, 'a lock that keeps rows outside: told, with who holds it and what to do');
$locker->quit;

# An event trigger that refuses all, where it is called, is named.
$node->sql(q{CREATE FUNCTION refuse_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no ddl here' USING HINT = 'Ask at ten.'; END $$});
$node->sql($take);
$node->sql('CREATE EVENT TRIGGER refuse_ddl ON ddl_command_start EXECUTE FUNCTION refuse_ddl()');
like($node->error('CREATE TABLE t ()'), qr/no ddl here/, 'an event trigger refuses');
$node->sql("SELECT _mfi_maintain_table('user_auth_logs')");
like($node->sql("SELECT reasons::text FROM mfi_health('node')"), qr/audit-partitions-missing: .*the worker tried, but [^"]*user_auth_logs: no ddl here .Ask at ten\..; it was raised by event trigger refuse_ddl: ALTER EVENT TRIGGER refuse_ddl DISABLE, or let it pass what/,
	'an event trigger is named, with what to do');

# Where the worker can be above it, it does not keep the worker from its work; neither does any setting of the server, the
# database or the role; and a synchronous standby that is down keeps those waiting who asked for it, not the worker, which
# would wait with its locks.
my $can = $node->sql("SELECT current_setting('event_triggers', true) IS NOT NULL") eq 't';
$node->sql('DROP EVENT TRIGGER refuse_ddl') if !$can;
my %hindering = (
	default_transaction_read_only => 'on', default_transaction_isolation => 'serializable', statement_timeout => '1', lock_timeout => '1', idle_in_transaction_session_timeout => '1', transaction_timeout => '1',
	search_path => 'nowhere', session_replication_role => 'replica', row_security => 'on', exit_on_error => 'on', standard_conforming_strings => 'off', temp_file_limit => '0', synchronous_commit => 'remote_apply',
	'plpgsql.extra_errors' => 'all', 'plpgsql.variable_conflict' => 'use_column', DateStyle => 'German', IntervalStyle => 'sql_standard', TimeZone => 'Asia/Kathmandu', check_function_bodies => 'off', quote_all_identifiers => 'on');
delete $hindering{transaction_timeout} if $node->sql("SELECT current_setting('transaction_timeout', true) IS NULL") eq 't';
my @whose = ('DATABASE mfi_banking', 'ROLE ' . $node->sql('SELECT quote_ident(current_user)'));
$ENV{PGOPTIONS} = join ' ', map { "-c $_" } qw(statement_timeout=0 idle_in_transaction_session_timeout=0 exit_on_error=off search_path=public default_transaction_read_only=off lock_timeout=0
	session_replication_role=origin standard_conforming_strings=on synchronous_commit=local), $hindering{transaction_timeout} ? 'transaction_timeout=0' : ();
$node->safe_psql('postgres', join '', map { my $whose = $_; map { "ALTER $whose SET $_ = '$hindering{$_}';" } sort keys %hindering } @whose);
$node->set(default_transaction_read_only => 'on');
$node->set(synchronous_standby_names => "'gone'");
my $client = $node->background_psql('mfi_banking');
$client->query_until(qr/begun/, qq{SET synchronous_commit = on;\n\\echo begun\nINSERT INTO portals (name, realm_id, client_id) VALUES ('n', 'r', 'c');\n});
$node->wait_sql(q{SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND backend_type = 'client backend')});
$begin->();
$node->wait_sql($made);
pass('settings of server, database and role, an event trigger, a synchronous standby that is down: it works all the same');
$node->wait_sql(q{SELECT count(*) = 1 FROM mfi_audit.user_activity_logs_202403});
like($node->sql(q{SET statement_timeout = '2s'; SELECT count(*) >= 0 FROM user_auth_logs; SELECT reasons::text FROM mfi_health('node')}), qr/^t\n(?!.*(?:maintenance-failed|audit-partitions-missing|rows-outside))/s, 'nobody who reads waits, the verdict neither, and it promises nothing');
is($node->sql(q{SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND backend_type LIKE 'mfi %'}), '0', 'no worker waits for the standby');
$node->safe_psql('postgres', join '', map { "ALTER $_ RESET ALL;" } @whose);
$node->backup_ok;
pass('nor does a backup');
$node->safe_psql('postgres', 'ALTER SYSTEM RESET synchronous_standby_names');
$node->reload;
$client->query_safe('SELECT 1');
$client->quit;
$node->stop;
done_testing();
