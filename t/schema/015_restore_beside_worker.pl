# A restore, section by section, into the database that the launcher looks after: nothing is made there before the last
# section is in, and then what is missing.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiListing qw(listing same_listing);
use MfiNode;
use MfiWorkload qw(change_rows);
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{MFI_TEST_SEED} // sprintf('%.6f', rand());
note "seed $seed (repeat with MFI_TEST_SEED=$seed)";
my $node = MfiNode->bank('bank', conf => "log_min_messages = debug1\n");
my $dump = PostgreSQL::Test::Utils::tempdir . '/bank.dump';

# The launcher calls the worker when it starts: one whole call of it, from its begin to its end.
sub worker_calls
{
	$node->restart;
	$node->wait_until('the worker has worked', sub {
		return (slurp_file($node->logfile) =~ /.*database system is ready(.*)/s)[0] =~ /background worker "mfi maintainer" \(PID \d+\) exited with exit code 0/;
	});
	return;
}

change_rows($node, 'mfi_banking', $seed, 600);
$node->sql('CREATE INDEX auth_by_user ON user_auth_logs (iam_user_id)');
$node->sql(<<'SQL');
DO $$ DECLARE name text; BEGIN
FOREACH name IN ARRAY _mfi_audit_tables() LOOP EXECUTE 'DROP TABLE ' || _mfi_partition_name(name, _mfi_month(now(), 2)); END LOOP; END $$
SQL
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, 'mfi_banking' ], 'dump');
worker_calls();
my $bank = listing($node, 'mfi_banking');
my $tables = $node->sql(q{SELECT count(*) FROM pg_class WHERE relnamespace = 'mfi_audit'::regnamespace AND relkind = 'r'});

$node->safe_psql('postgres', 'DROP DATABASE mfi_banking');
$node->safe_psql('postgres', 'CREATE DATABASE mfi_banking');
worker_calls();
for my $section (qw(pre-data data post-data))
{
	$node->command_ok([ 'pg_restore', '-d', 'mfi_banking', "--section=$section", $dump ], $section);
	last if $section eq 'post-data';
	worker_calls();
	is($node->sql(q{SELECT count(*) < } . $tables . q{ FROM pg_class WHERE relnamespace = 'mfi_audit'::regnamespace AND relkind = 'r'}), 't', "after $section: no partition was made");
	like($node->sql(q{SELECT reasons::text FROM mfi_health('node')}), qr/schema-missing/, 'and the verdict misses the schema');
	like($node->error('SELECT mfi_audit_ensure_partitions(3)'), qr/the audit tables of this database have no partitions yet.*HINT: +When a restore is running, wait/s, 'a call by hand is refused');
}
worker_calls();
same_listing(listing($node, 'mfi_banking'), $bank, 'after the last section what was missing is made: equal');
is($node->sql('SELECT count(*) FROM pg_index WHERE NOT indisvalid'), '0', 'every index is valid');

# A parallel restore over the live database, while the worker is called as often as it can be.
my $worker = $node->background_psql('mfi_banking', on_error_stop => 0);
my $err;
{
	local %ENV = $node->_get_env;
	delete $ENV{PGAPPNAME};    # by whose default a restore is known
	my $restore = IPC::Run::start([ 'pg_restore', '-j4', '--clean', '-d', 'mfi_banking', $dump ], '2>', \$err);
	while ($restore->pumpable)
	{
		$worker->query('SELECT _mfi_maintain()');
		$restore->pump_nb;
	}
	ok($restore->finish, 'parallel restore with --clean beside the worker: exit code 0') or diag($err);
}
$worker->quit;
worker_calls();
same_listing(listing($node, 'mfi_banking'), $bank, 'parallel restore beside the worker: equal');
is($node->sql('SELECT count(*) FROM pg_index WHERE NOT indisvalid'), '0', 'every index is valid');

# A deadlock with the worker ends the worker's transaction, even when the other one has waited for longer. The worker is patient here, so
# that it is a deadlock on a busy machine too.
$node->sql(q{ALTER FUNCTION _mfi_maintain() SET lock_timeout = '1min'});
$node->set(deadlock_timeout => q{'30s'});
$node->sql('DROP TABLE ' . $node->sql("SELECT string_agg(_mfi_partition_name(name, _mfi_month(now(), 3)), ', ') FROM unnest(_mfi_audit_tables()) name"));
my ($restore, $dump_of_table) = map { $node->background_psql('mfi_banking') } 1 .. 2;
$restore->query_safe('BEGIN; LOCK TABLE ONLY mfi_user_activity_logs');
$dump_of_table->query_safe('BEGIN; LOCK TABLE ONLY user_activity_logs');
my $maintainer = $node->background_psql('mfi_banking', on_error_stop => 0);
my $waits = "EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = '%s'::regclass)";
$maintainer->query_until(qr/asked/, "\\echo asked\nSELECT _mfi_maintain();\n");
$node->wait_sql('SELECT ' . sprintf($waits, 'user_activity_logs'));
$restore->query_until(qr/asked/, "\\echo asked\nLOCK TABLE mfi_audit.user_auth_logs_default;\n");
$node->wait_sql('SELECT ' . sprintf($waits, 'mfi_audit.user_auth_logs_default'));
$dump_of_table->query_safe('COMMIT');
is($restore->query('SELECT true'), 't', 'a restore gets its lock');
$maintainer->query('SELECT 1');
like($maintainer->{stderr}, qr/ERROR:  deadlock detected/, 'and the worker gives way');
$_->quit for $restore, $dump_of_table, $maintainer;

$node->stop;
done_testing();
