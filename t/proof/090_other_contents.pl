# A restored copy that has other contents in as many rows is found, by table; one that has the same never is, whatever people keep in
# their databases.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use MfiSchemas qw(schema fault);
use MfiShim qw(install_with replace);
use PostgreSQL::Test::Utils qw(slurp_file append_to_file);
use Test::More;

my $schemas = $ENV{MFI_LONG} ? 500 : 50;
my $faults_wanted = $ENV{MFI_LONG} ? 1000 : 100;
my $seed = $ENV{MFI_SEED} // 4711;
note "MFI_SEED=$seed";

my $path = install_with();
my $node = MfiNode->bank('bank', install_path => $path, conf => "mfi.backup_verify = 'restore'\n");
my @tables;
for my $n (1 .. $schemas)
{
	my ($sql, @made) = schema("s$n", $seed + $n);
	$node->sql($sql);
	push @tables, map { [ "s$n", @$_ ] } @made;
}
my $id = $node->backup_ok;
is($node->run($id, 'verify_method, verify_result, error'), 'restore|ok|', "$schemas schemas by chance: proven");

# The copy is changed by who restores it, once all tables of the faults are there.
my $faults = $node->basedir . '/faults.sql';
my $bindir = `pg_config --bindir`;
chomp $bindir;
replace($path, 'pg_restore', <<"SH");
real "\$@"
jobs= conninfo=
for argument in "\$@"; do case "\$argument" in
	--dbname=*) conninfo=\${argument#--dbname=} ;;
	--jobs=*) jobs=yes ;;
esac; done
if [ -n "\$jobs" ] && [ -e $faults ]; then
	! $bindir/psql -X -q -1 -v ON_ERROR_STOP=1 -d "\$conninfo" -f $faults 2>>$faults.errors || rm $faults
fi
SH
my ($found, $all) = (0, 0);
srand $seed;
for (my $round = 1; $all < $faults_wanted; $round++)
{
	# Of ten tables, since a proof names so many.
	my %chosen;
	while (keys %chosen < 10) { my $table = $tables[ rand @tables ]; $chosen{ $table->[1] } = $table }
	unlink $faults;
	my %sql = map { $_ => fault(@{ $chosen{$_} }) } sort keys %chosen;
	append_to_file($faults, "$sql{$_};\n") for sort keys %sql;
	my $result = $node->sql("SELECT mfi_backup_verify('$id')");
	# A fault that changed nothing, because no row could have it, is none.
	my @changed = grep { $node->sql("BEGIN; $sql{$_}; SELECT count(*) FROM pg_stat_xact_user_tables WHERE schemaname || '.' || relname = '$_' AND n_tup_upd = 1; ROLLBACK") eq '1' } sort keys %sql;
	my %told = map { $_ => 1 } $result =~ /table (s\d+\.t\d+): other contents restored than in the source, in as many rows/g;
	$all += @changed;
	for my $table (@changed)
	{
		if (delete $told{$table}) { $found++ }
		else { diag "not found: $sql{$table}: $result" }
	}
	is(join(', ', sort keys %told), '', "round $round: no other table is named");
}
is($found, $all, "$all faults that keep the number of rows: each is found, by table");
replace($path, 'pg_restore', undef);
is($node->sql("SELECT mfi_backup_verify('$id')"), 'ok', 'without them: proven again');
$node->stop;
done_testing();
