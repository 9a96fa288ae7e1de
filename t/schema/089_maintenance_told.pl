# What keeps the worker from the audit partitions is in the verdict, with its own words; what need not keep it does not.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use Test::More;

my $node = MfiNode->bank('bank');
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
$node->wait_until('the maintainer waits', sub { $node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'mfi maintainer' AND wait_event_type = 'Lock'}) eq '1' });
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'mfi maintainer'});
$locker->quit;
$says->('maintenance-failed: .*its process ended before it had done its work .the server.s log says why');
pass('a process that is ended: told');
$begin->();
$node->wait_sql($made);

# A lock on the tables: who is behind is named by pg_locks; the other tables are served.
$node->sql($take);
$locker = $node->background_psql('mfi_banking');
$locker->query_safe('BEGIN; LOCK TABLE mfi_audit.user_auth_logs_default IN ACCESS EXCLUSIVE MODE');
$begin->();
$says->('audit-partitions-missing: these audit partitions are not there: [^;]*; the worker tried, but user_auth_logs: locked by others since ');
like($node->sql("SELECT next_steps FROM mfi_health('node')"), qr/Take away what hinders it \(pg_locks names the sessions that hold locks\)/, 'a lock: told at once where partitions are missing');
$locker->quit;
$begin->();
$node->wait_sql($made);

# Read-only by default, and an event trigger that refuses all, do not keep the worker from it where it can be above them.
$node->sql(q{CREATE FUNCTION refuse_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no ddl here'; END $$});
$node->sql($take);
$node->sql('CREATE EVENT TRIGGER refuse_ddl ON ddl_command_start EXECUTE FUNCTION refuse_ddl()');
like($node->error('CREATE TABLE t ()'), qr/no ddl here/, 'an event trigger refuses');
$begin->();
if ($node->sql("SELECT current_setting('event_triggers', true) IS NOT NULL") eq 't') { $node->wait_sql($made) }
else { $says->('audit-partitions-missing: .*the worker tried, but .*no ddl here') }
pass('an event trigger that refuses: it works, or says why not');
$node->sql('SET event_triggers = off; DROP EVENT TRIGGER refuse_ddl');
$node->sql($take);
$node->set(default_transaction_read_only => 'on');
$begin->();
$node->wait_sql($made);
pass('read-only by default: it works all the same');
$node->safe_psql('postgres', 'SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only');
$node->stop;
done_testing();
