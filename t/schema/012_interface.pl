# What an application of the interface does goes on working: every INSERT, UPDATE, DELETE and SELECT that t/interface/
# allows, on the database as it was before mfi, after adoption, and on a fresh one; except what README lists.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiInterface qw(interface_tables interface_views legacy_schema inserts updates selects deletes);
use PostgreSQL::Test::Cluster;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('bank');
$node->init;
$node->start;

# The statements that fail, with their errors, each in a transaction of its own.
sub failures
{
	my ($database, @statements) = @_;
	my ($status, $out, $err) = $node->psql($database, join('', map { "$_;\n" } @statements), on_error_stop => 0);
	return $err;
}

my @tables = interface_tables();
my @audit = grep { /_logs$/ } @tables;
my @others = grep { !/_logs$/ } @tables;
my %views = map { $_->{view} => 1 } interface_views();
is(@tables . ' ' . keys(%views), '17 3', 'the interface has 17 tables and 3 views');

$node->safe_psql('postgres', "CREATE DATABASE $_") for qw(legacy adopted fresh);
$node->safe_psql($_, legacy_schema()) for qw(legacy adopted);
$node->safe_psql('adopted', 'CREATE EXTENSION mfi CASCADE');
$node->safe_psql('fresh', 'CREATE EXTENSION mfi CASCADE');
is($node->safe_psql('adopted', 'SELECT mfi_schema_version(), _mfi_schema_ready()'), '1.1|t', 'adopted');

for my $database (qw(legacy adopted fresh))
{
	is(failures($database, map { inserts($_) } @tables), '', "$database: INSERT");
	is(failures($database, map { selects($_) } @tables, sort keys %views), '', "$database: SELECT");
	is(failures($database, map { updates($_) } @others), '', "$database: UPDATE");
}
is($node->safe_psql('fresh', "SELECT count(*) FROM $_"), $node->safe_psql('legacy', "SELECT count(*) FROM $_"), "$_: rows")
  for @others[4 .. $#others], @audit;

# What README lists: audit tables only grow, and take an event once.
for my $database (qw(adopted fresh))
{
	for my $table (@audit)
	{
		my @changes = (updates($table), deletes($table), "TRUNCATE $table");
		my @refused = failures($database, @changes) =~ /ERROR: +(?:UPDATE|DELETE|TRUNCATE) on public.$table is refused/g;
		is(@refused, @changes, "$database: each UPDATE, DELETE and TRUNCATE of $table is refused");
	}
}
my $event = "INSERT INTO user_auth_logs (iam_event_id, event_type, client_id, realm_id, event_time) VALUES ('e', 'LOGIN', 'c', 'r', '2026-01-01')";
is($node->psql('fresh', $event), 0, 'an event');
like(failures('fresh', $event), qr/duplicate key value/, 'the same event again is refused');
is($node->psql('fresh', "$event ON CONFLICT DO NOTHING"), 0, 'or left out on request');

# Deleting, last of all: children first.
is(failures('legacy', map { deletes($_) } reverse @tables), '', 'legacy: DELETE');
for my $database (qw(adopted fresh))
{
	is(failures($database, map { deletes($_) } grep { $_ ne 'activity_type' } reverse @others), '', "$database: DELETE");
	is($node->safe_psql($database, 'SELECT count(*) FROM v_user_group_assignments'), 0, "$database: the views are empty");
}

$node->stop;
done_testing();
