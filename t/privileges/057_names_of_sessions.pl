# What a session calls itself, or what the owner of a database sets for it, holds up nothing and hides nothing: application_name is believed
# of superusers alone (a restore also of the database's owner, and the verdict says so), and a worker's settings are its own.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use MfiPlanted qw(decoy_operators nothing_planted_ran plant_functions);
use PostgreSQL::Test::Utils;
use Test::More;

my $node = MfiNode->bank('bank', conf => "log_statement = none\nmfi.transaction_warning = 1s\n");
$node->sql('CREATE ROLE app LOGIN; CREATE ROLE keeper LOGIN; CREATE ROLE monitor LOGIN IN ROLE pg_monitor; CREATE SCHEMA app AUTHORIZATION app; GRANT USAGE ON SCHEMA app TO PUBLIC');
my $import = q{SELECT mfi_import_auth_events('[]') ->> 'received'};
sub health { return $node->safe_psql('mfi_banking', q{SELECT verdict, reasons::text, next_steps::text FROM mfi_health('node')}, extra_params => [ '-U', 'monitor' ]) }
sub session
{
	my ($role, $name) = @_;
	my $session = $node->background_psql('mfi_banking', extra_params => [ '-U', $role ]);
	$session->query_safe("SET application_name = '$name'");
	return $session;
}

# pg_restore
my $session = session('app', 'pg_restore');
is($node->sql($import), '0', 'a session that calls itself pg_restore does not stop imports');
is($node->sql('SELECT _mfi_maintain()'), 't', 'nor the maintainer');
unlike(health(), qr/restore-running/, 'and the verdict does not take it for one');
$session->quit;
for my $role ('postgres', 'keeper')
{
	$node->safe_psql('postgres', "ALTER DATABASE mfi_banking OWNER TO $role");
	$session = session($role, 'pg_restore');
	like($node->error($import), qr/a restore is running in this database.*DETAIL:  It is process \d+ of $role\./s, "$role is believed: imports wait");
	is($node->sql('SELECT _mfi_maintain()'), 'f', 'the maintainer, too');
	like(health(), qr/^warning\|.*restore-running: audit partitions and imports wait for the end of pg_restore, as which process \d+ of $role runs/, 'and the verdict says so');
	$session->quit;
	$node->wait_sql(q{SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'pg_restore')});
	unlike(health(), qr/restore-running/, 'until it is over');
}

# mfi backup ...
for my $case ([ 'app', 1 ], [ 'postgres', 0 ])
{
	my ($role, $told) = @$case;
	$session = session($role, 'mfi backup x');
	my $pid = $session->query_safe('BEGIN; SELECT pg_backend_pid()') =~ s/\D//gr;
	$node->wait_sql("SELECT now() - xact_start > '2 seconds' FROM pg_stat_activity WHERE pid = $pid");
	like($node->sql(q{SELECT reasons::text FROM mfi_health('node')}), $told ? qr/\b$pid\b/ : qr/^(?!.*\b$pid\b)/, "an old transaction of $role with the name of a backup is " . ($told ? 'told' : 'taken for one'));
	$session->quit;
}

# What an owner sets for the database.
my $file = PostgreSQL::Test::Utils::tempdir . '/planted.sql';
append_to_file($file, plant_functions() . decoy_operators('app'));
$node->command_ok([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'app', '-d', $node->connstr('mfi_banking'), '-f', $file ], 'operators are planted');
my %settings = (search_path => 'app, pg_catalog, public', role => 'app', default_transaction_read_only => 'on', default_transaction_isolation => 'serializable', lock_timeout => '1ms',
	statement_timeout => '1ms', transaction_timeout => '1ms', idle_in_transaction_session_timeout => '1ms', quote_all_identifiers => 'on', DateStyle => 'German', IntervalStyle => 'sql_standard',
	constraint_exclusion => 'on', transform_null_equals => 'on', row_security => 'off', TimeZone => 'Pacific/Apia');
my $from = -s $node->logfile;
for my $name (sort keys %settings)
{
	my $value = $name eq 'search_path' ? $settings{$name} : "'$settings{$name}'";
	$node->safe_psql('postgres', "ALTER DATABASE mfi_banking SET $name = $value");
}
my $clean = '-c search_path=pg_catalog -c role=none -c default_transaction_read_only=off -c statement_timeout=0 -c transaction_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0';
{
	local $ENV{PGOPTIONS} = $clean;
	$node->safe_psql('mfi_banking', q{DO $$ BEGIN EXECUTE 'DROP TABLE ' || public._mfi_partition_name('user_auth_logs'::text, public._mfi_month(now(), 1)); END $$});
	$node->restart;
	ok($node->poll_query_until('mfi_banking', q{SELECT pg_catalog.to_regclass(public._mfi_partition_name('user_auth_logs'::text, public._mfi_month(pg_catalog.now(), 1))) IS NOT NULL}),
		'the worker works in a database whose owner set everything against it');
	nothing_planted_ran($node, 'mfi_banking', 'the worker', $from);
}
$node->stop;
done_testing();
