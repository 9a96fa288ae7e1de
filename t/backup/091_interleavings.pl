# Whatever is not safe for an older snapshot goes on all the time, from the primary and from the standby backups are made: what is
# proven is what was there at one instant between the run's start and its snapshot, or the run fails and says why.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use MfiPair qw(pair);
use MfiProcess;
use Test::More;

my $runs = $ENV{MFI_LONG} ? 200 : 10;
my $seed = $ENV{MFI_SEED} // 4711;
note "MFI_SEED=$seed";
srand $seed;

my ($primary, $standby) = pair(conf => "mfi.backup_verify = 'restore'\nmfi.backup_lock_timeout = '20s'\nmax_standby_streaming_delay = '60s'\n");
my $conninfo = 'host=' . $standby->host . ' port=' . $standby->port . ' user=' . $primary->safe_psql('postgres', 'SELECT current_user');
$primary->set('mfi.backup_source_conninfo' => "'$conninfo'");
$primary->sql(q{CREATE TABLE loan (id int, v int); INSERT INTO loan SELECT i, 0 FROM generate_series(1, 1000) i; CREATE SCHEMA elsewhere;
	CREATE TABLE parted (id int, v int) PARTITION BY RANGE (id); CREATE TABLE part (id int, v int); INSERT INTO part SELECT i, 0 FROM generate_series(1, 1000) i; ALTER TABLE parted ATTACH PARTITION part FOR VALUES FROM (1) TO (2000);
	CREATE MATERIALIZED VIEW seen AS SELECT * FROM parted});

# Each makes version v + 1 of both tables from version v, in one transaction: 1,000 rows that all say the same.
my @changes = (
	'UPDATE loan SET v = v + 1; UPDATE parted SET v = v + 1',
	'ALTER TABLE loan ALTER v TYPE bigint USING v + 1; ALTER TABLE loan ALTER v TYPE int; UPDATE parted SET v = v + 1',
	'CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT id, v + 1 AS v FROM loan; TRUNCATE loan; INSERT INTO loan TABLE kept; UPDATE parted SET v = v + 1',
	'CREATE TABLE fresh AS SELECT id, v + 1 AS v FROM loan; DROP TABLE loan; ALTER TABLE fresh RENAME TO loan; UPDATE parted SET v = v + 1',
	'ALTER TABLE loan SET SCHEMA elsewhere; UPDATE elsewhere.loan SET v = v + 1; ALTER TABLE elsewhere.loan SET SCHEMA public; UPDATE parted SET v = v + 1',
	'CREATE INDEX here ON loan (id); CLUSTER loan USING here; DROP INDEX here; UPDATE loan SET v = v + 1; UPDATE parted SET v = v + 1',
	'ALTER TABLE loan SET UNLOGGED; ALTER TABLE loan SET LOGGED; UPDATE loan SET v = v + 1; UPDATE parted SET v = v + 1',
	'ALTER TABLE loan ADD r float8 DEFAULT random(); ALTER TABLE loan DROP r; UPDATE loan SET v = v + 1; UPDATE parted SET v = v + 1',
	'UPDATE loan SET v = v + 1; ALTER TABLE parted DETACH PARTITION part; CREATE TABLE other AS SELECT id, v + 1 AS v FROM part; DROP TABLE part; ALTER TABLE other RENAME TO part; ALTER TABLE parted ATTACH PARTITION part FOR VALUES FROM (1) TO (2000)',
	'UPDATE loan SET v = v + 1; UPDATE parted SET v = v + 1; REFRESH MATERIALIZED VIEW seen');
sub workload
{
	my ($end) = @_;
	while (!-e $end)
	{
		my $sql = '';
		for (1 .. 20)
		{
			my $rest = rand() < 0.2 ? 'ROLLBACK' : 'COMMIT';
			$sql .= "BEGIN; $changes[ rand @changes ]; SELECT pg_sleep(random() * 0.05); $rest; SELECT pg_sleep(random() * 0.2);\n";
			$sql .= "VACUUM FULL loan;\n" if rand() < 0.1;
		}
		# A backup that takes a table's lock may make a statement fail; the next ones go on.
		$primary->psql('mfi_banking', $sql, on_error_stop => 0);
	}
	return;
}
my $end = $primary->basedir . '/end';
my $worker = fork;
if (!$worker) { workload($end); require POSIX; POSIX::_exit(0) }
my $stop = bless { pid => $worker }, 'MfiProcess';

# On a busy machine a standby's replay may keep each table locked for longer than a dump waits: then there are more runs, until one
# of each source is proven.
my %told;
my $lacks = sub { return grep { !$told{"$_: succeeded ok"} } qw(primary standby) };
for (my $n = 1; $n <= $runs || ($n <= 6 * $runs && $lacks->()); ++$n)
{
	my $source = $n % 2 ? 'primary' : 'standby';
	$primary->set('mfi.backup_source' => "'$source'");
	my $first = $primary->sql('SELECT max(v) FROM loan');
	my $id = $primary->backup($source);
	$primary->wait_sql("SELECT finished_at IS NOT NULL FROM mfi_backups WHERE id = '$id'");
	my $last = $primary->sql('SELECT max(v) FROM loan');
	my ($state, $result, $error) = split /\|/, $primary->run($id, 'state, verify_result, error'), 3;
	$told{"$source: $state" . ($result ? " $result" : '')}++;
	if ($state ne 'succeeded')
	{
		like($error, qr/\btable |gave way|recovery|could not be dumped/, "run $n of the $source fails and says why") or diag $error;
		next;
	}
	is($result, 'ok', "run $n of the $source: proven") or diag $error;
	my $archive = $primary->backups . "/$id";
	for my $table ('loan', 'part')
	{
		my @rows = grep { /^\d+\t\d+$/ } split /\n/, `pg_restore -f - --data-only -t $table $archive/*.d*`;
		my %versions = map { (split /\t/)[1] => 1 } @rows;
		my ($version) = keys %versions;
		ok(@rows == 1000 && keys %versions == 1 && $version >= $first && $version <= $last, "run $n: $table is of one instant")
		  or diag "$table: " . @rows . " rows of versions @{[ sort keys %versions ]}, between $first and $last";
	}
}
open(my $file, '>', $end) or die $!;
close $file;
waitpid $worker, 0;
delete $stop->{pid};
note join ', ', map { "$_: $told{$_}" } sort keys %told;
for my $source ('primary', 'standby')
{
	cmp_ok($told{"$source: succeeded ok"} // 0, '>', 0, "of the $source some were proven");
}
$standby->stop;
$primary->stop;
done_testing();
