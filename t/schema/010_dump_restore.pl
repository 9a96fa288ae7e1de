# Stock pg_dump and pg_restore, in every way people use them, give back the same database: rows,
# sequences, definitions, privileges, comments, membership.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiListing qw(listing definitions rows same_listing);
use MfiWorkload qw(change_rows change_definitions);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{MFI_TEST_SEED} // sprintf('%.6f', rand());
note "seed $seed (repeat with MFI_TEST_SEED=$seed)";

my $node = PostgreSQL::Test::Cluster->new('bank');
$node->init;
$node->start;
my $dir = PostgreSQL::Test::Utils::tempdir;

sub restore_ok
{
	my ($name, $database, @arguments) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->command_ok([ 'pg_restore', '-d', $database, @arguments ], $name);
	return;
}

$node->safe_psql('postgres', 'CREATE DATABASE bank');
$node->safe_psql('bank', 'CREATE EXTENSION mfi CASCADE');
change_rows($node, 'bank', $seed, 1500);
change_definitions($node, 'bank', 'clerk');
$node->safe_psql('bank', 'GRANT EXECUTE ON FUNCTION mfi_schema_version() TO clerk');
my $bank = listing($node, 'bank');
is($node->safe_psql('bank', <<'SQL'), '', 'the workload leaves rows in every table');
SELECT name FROM unnest(_mfi_tables()) AS name
 WHERE (xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM %I', name), false, true, '')))[1]::text = '0'
SQL

$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/bank.dump", 'bank' ], 'dump, custom');
$node->command_ok([ 'pg_dump', '-Fd', '-j2', '-f', "$dir/bank.dir", 'bank' ], 'dump, directory');
$node->command_ok([ 'pg_dump', '-Fp', '-f', "$dir/bank.sql", 'bank' ], 'dump, plain');

restore_ok('custom', 'custom', "$dir/bank.dump");
same_listing(listing($node, 'custom'), $bank, 'custom: equal');

restore_ok('custom -j4', 'custom_j4', '-j4', "$dir/bank.dump");
same_listing(listing($node, 'custom_j4'), $bank, 'custom -j4: equal');

restore_ok('directory -j4', 'directory_j4', '-j4', "$dir/bank.dir");
same_listing(listing($node, 'directory_j4'), $bank, 'directory -j4: equal');

restore_ok('one transaction', 'single', '-1', "$dir/bank.dump");
same_listing(listing($node, 'single'), $bank, 'one transaction: equal');

$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', "$dir/bank.sql", 'plain' ], 'plain');
same_listing(listing($node, 'plain'), $bank, 'plain: equal');

# Section by section: the schema is ready only when the last one is in.
restore_ok('section pre-data', 'sections', '--section=pre-data', "$dir/bank.dump");
is($node->safe_psql('sections', 'SELECT mfi_schema_version(), _mfi_schema_ready()'), '|f', 'not ready without rows');
$node->command_ok([ 'pg_restore', '-d', 'sections', '--section=data', "$dir/bank.dump" ], 'section data');
is($node->safe_psql('sections', 'SELECT mfi_schema_version(), _mfi_schema_ready()'), '1.1|f', 'not ready without triggers');
$node->command_ok([ 'pg_restore', '-d', 'sections', '--section=post-data', "$dir/bank.dump" ], 'section post-data');
is($node->safe_psql('sections', 'SELECT _mfi_schema_ready()'), 't', 'ready after the last section');
same_listing(listing($node, 'sections'), $bank, 'sections: equal');

# With row security enabled an archive cannot be recognised: the setting says it.
{
	local $ENV{PGOPTIONS} = '-c mfi.install_schema=off';
	restore_ok('--enable-row-security', 'row_security', '--enable-row-security', "$dir/bank.dump");
	same_listing(listing($node, 'row_security'), $bank, '--enable-row-security: equal');
}

# Over itself, and over a live database with an open session.
$node->command_ok([ 'pg_restore', '-d', 'bank', '--clean', '--if-exists', "$dir/bank.dump" ], '--clean --if-exists');
same_listing(listing($node, 'bank'), $bank, '--clean --if-exists over itself: equal');

my $session = $node->background_psql('bank');
my $query = "UPDATE mfi_type SET name = 'Bank' WHERE id = (SELECT min(id) FROM mfi_type) RETURNING updated_at >= now();\n";
like($session->query($query), qr/^t$/, 'an open session works');
change_rows($node, 'bank', $seed / 2, 200);
$node->command_ok([ 'pg_restore', '-d', 'bank', '--clean', "$dir/bank.dump" ], '--clean');
same_listing(listing($node, 'bank'), $bank, '--clean over a live database: equal');
like($session->query($query), qr/^t$/, 'the open session goes on working');
$session->quit;

# DROP EXTENSION refuses, CASCADE takes no row, and CREATE EXTENSION puts back what went.
my $before = definitions($node, 'custom');
my $rows = rows($node, 'custom');
my ($status, $out, $err) = $node->psql('custom', 'DROP EXTENSION mfi');
isnt($status, 0, 'DROP EXTENSION refuses');
like($err, qr/trigger touch_updated_at on table portals depends on function/, 'and says why');
same_listing(listing($node, 'custom'), "$before\n$rows", 'and changes nothing');
$node->safe_psql('custom', 'DROP EXTENSION mfi CASCADE');
same_listing(rows($node, 'custom'), $rows, 'CASCADE takes no row');
$node->safe_psql('custom', 'CREATE EXTENSION mfi; GRANT EXECUTE ON FUNCTION mfi_schema_version() TO clerk;'
	  . 'ALTER TABLE portal_groups DISABLE TRIGGER touch_updated_at');
same_listing(listing($node, 'custom'), "$before\n$rows", 'CREATE EXTENSION puts back functions and triggers');

# In a schema of its own, with a name that needs quotes.
$node->safe_psql('postgres', 'CREATE DATABASE quoted');
$node->safe_psql('quoted', 'CREATE SCHEMA "The Bank"; CREATE EXTENSION mfi CASCADE SCHEMA "The Bank"');
$node->safe_psql('quoted', 'DELETE FROM "The Bank".mfi_country WHERE id = 1');
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/quoted.dump", 'quoted' ], 'dump, other schema');
restore_ok('other schema', 'quoted_restored', '-j4', "$dir/quoted.dump");
same_listing(listing($node, 'quoted_restored'), listing($node, 'quoted'), 'other schema: equal');

# A wrong value of the setting is refused, whoever reads it first.
$node->safe_psql('postgres', 'CREATE DATABASE wrong');
($status, $out, $err) = $node->psql('wrong', 'SET mfi.install_schema = maybe; CREATE EXTENSION mfi CASCADE');
like($err, qr/invalid value for parameter "mfi.install_schema": "maybe"/, 'wrong mfi.install_schema: refused');
like($err, qr/Available values: auto, on, off/, 'wrong mfi.install_schema: values are named');

$node->stop;
done_testing();
