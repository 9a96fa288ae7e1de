# Others may create in the extension's schema: overloads of its functions and operators that would fit its arguments better are not
# called by health, maintainer, partitions, expiry, sync, import, migration, adoption or ALTER EXTENSION UPDATE.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiInterface qw(inserts interface_tables legacy_schema);
use MfiNode;
use PostgreSQL::Test::Utils;
use MfiPlanted qw(decoy_functions decoy_operators nothing_planted_ran plant_functions ran_as);
use Test::More;

my $node = MfiNode->bank('bank', conf => "log_statement = none\nmax_locks_per_transaction = 1000\n");
$node->sql('CREATE ROLE app LOGIN; CREATE ROLE monitor LOGIN IN ROLE pg_monitor');
my $decoys = decoy_functions($node, 'mfi_banking');
my $further = decoy_functions($node, 'mfi_banking', 1);
my $operators = decoy_operators('public');

sub as_app
{
	my ($database, $sql) = @_;
	$node->safe_psql($database, 'GRANT CREATE, USAGE ON SCHEMA public TO app; CREATE SCHEMA IF NOT EXISTS app AUTHORIZATION app; GRANT USAGE ON SCHEMA app TO PUBLIC');
	my $file = PostgreSQL::Test::Utils::tempdir . '/planted.sql';
	PostgreSQL::Test::Utils::append_to_file($file, $sql);
	$node->command_ok([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'app', '-d', $node->connstr($database), '-f', $file ], "planted in $database");
	return;
}
as_app('mfi_banking', plant_functions() . $decoys . $operators);
cmp_ok($decoys =~ tr/\n//, '>', 1000, 'many overloads are there');

# Harmless calls work, and the planted ones would be heard.
$node->safe_psql('mfi_banking', q{SELECT public._mfi_partition_name('x'::text, 'y'::text); SELECT ARRAY[now()] OPERATOR(public.<>) ARRAY[now()]});
is(scalar(ran_as($node)), 2, 'what is planted is heard when it runs');
$node->safe_psql('mfi_banking', 'ALTER ROLE app NOSUPERUSER; DROP TABLE app.marker_of_a_superuser');
my $from = -s $node->logfile;

my %calls = (
	'health' => q{SELECT mfi_health('all'::text)},
	'health of the node' => q{SELECT mfi_health('node'::text)},
	'views' => 'SELECT * FROM mfi_backups, mfi_backup_progress, mfi_backup_health, mfi_replication_health, mfi_recovery, mfi_recovery_backups, mfi_recovery_drills',
	'what is missing' => 'SELECT mfi_migrate_schema(true); SELECT mfi_migrate_schema()',
	'partitions' => 'SELECT mfi_audit_ensure_partitions(5)',
	'expiry' => 'SELECT * FROM mfi_audit_expire(1, true); SELECT * FROM mfi_audit_expire(1)',
	'maintenance' => 'SELECT _mfi_maintain(); SELECT _mfi_watch_audit()',
	'sync' => q{INSERT INTO portals (id, name, realm_id, client_id) VALUES ('00000000-0000-0000-0000-000000000001', 'p', 'r', 'c') ON CONFLICT DO NOTHING;
		SELECT mfi_sync_portal_groups('00000000-0000-0000-0000-000000000001'::uuid, '[{"id": "00000000-0000-0000-0000-0000000000aa", "name": "a", "path": "/a",
		"subGroups": [{"id": "00000000-0000-0000-0000-0000000000ab", "name": "A"}]}]'::jsonb, '{"complete": false}'::jsonb);
		SELECT mfi_sync_portal_groups('00000000-0000-0000-0000-000000000001'::uuid, '[{"id": "00000000-0000-0000-0000-0000000000aa", "name": "b"}]'::jsonb, '{"max_delete_ratio": 1}'::jsonb);
		SELECT mfi_sync_portal_groups('00000000-0000-0000-0000-000000000001'::uuid, '[]'::jsonb, '{"dry_run": true}'::jsonb)},
	'import' => q{SELECT mfi_import_auth_events('[{"time": 1767225700001, "realmId": "r", "type": "LOGIN", "ipAddress": "10.0.0.1", "details": {"password": "x"}}, {}]'::jsonb);
		SELECT mfi_import_admin_events('[{"time": 1767225700001, "operationType": "CREATE", "realmId": "r", "representation": "{}"}]'::jsonb)});
$node->sql(q{INSERT INTO user_auth_logs (iam_event_id, event_type, client_id, realm_id, event_time) SELECT n::text, 'LOGIN', 'c', 'r', timestamptz '2011-02-27 23:00Z' + n * interval '1 hour' FROM generate_series(0, 40) n});
for my $call (sort keys %calls)
{
	# The caller's own search_path names public; the functions' does not.
	my ($status, $out, $err) = $node->psql('mfi_banking', $calls{$call}, on_error_stop => 1);
	is($status, 0, "$call works") or diag($err);
	nothing_planted_ran($node, 'mfi_banking', $call, $from);
}
is($node->psql('mfi_banking', q{SELECT * FROM mfi_health('all'::text)}, extra_params => [ '-U', 'monitor' ]), 0, 'monitoring works');
nothing_planted_ran($node, 'mfi_banking', 'monitoring', $from);

# The worker: restarted, it makes again what is missing.
$node->sql(q{DO $$ BEGIN EXECUTE 'DROP TABLE ' || _mfi_partition_name('user_auth_logs'::text, _mfi_month(now(), 1)); END $$});
$node->restart;
$node->wait_sql(q{SELECT to_regclass(_mfi_partition_name('user_auth_logs'::text, _mfi_month(now(), 1))) IS NOT NULL});
nothing_planted_ran($node, 'mfi_banking', 'the worker', $from);

# Made, adopted and updated where all of it is there before.
for my $kind ('new', 'adopted', 'updated', 'adopted at 1.0')
{
	my $database = $kind =~ s/\W+/_/gr;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION pgcrypto');
	if ($kind =~ /adopted/)
	{
		$node->safe_psql($database, legacy_schema());
		$node->safe_psql($database, join('', map { "$_;" } map { inserts($_) } interface_tables()));
	}
	as_app($database, plant_functions() . $decoys . $operators);
	$from = -s $node->logfile;
	$node->safe_psql($database, $_) for $kind =~ /updated|1\.0/ ? ("CREATE EXTENSION mfi VERSION '1.0'", 'ALTER EXTENSION mfi UPDATE') : ('CREATE EXTENSION mfi');
	is($node->safe_psql($database, 'SELECT mfi_schema_version(), _mfi_schema_ready()'), '1.1|t', "$kind: ready");
	nothing_planted_ran($node, $database, $kind, $from);
}

# An overload that differs by a default alone makes a call ambiguous: an error, but nothing of it runs.
as_app('mfi_banking', $further);
$from = -s $node->logfile;
$node->psql('mfi_banking', $calls{$_}) for sort keys %calls;
nothing_planted_ran($node, 'mfi_banking', 'ambiguous', $from);
$node->stop;
done_testing();
