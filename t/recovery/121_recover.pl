# A mistake is undone to the second while writes go on, across a promotion, and with nothing left but the store.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiCommand qw(does_ok refuses);
use MfiPair qw(pair catch_up);
use MfiRecovery qw(receive await_drill store_of);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils qw(append_to_file);
use Test::More;

my ($primary, $standby) = pair(conf => "summarize_wal = on\nmax_worker_processes = 16\n");
$primary->sql('CREATE TABLE ledger (id bigint PRIMARY KEY, amount int NOT NULL); INSERT INTO ledger SELECT i, i FROM generate_series(1, 20000) i');
receive($standby);
my $drill = await_drill($standby);
is($drill->{result} . ($drill->{error} // ''), 'ok', 'a drill by itself follows the first base by itself');
cmp_ok($drill->{tables}, '>=', 18, 'and has compared every table');
ok(defined $drill->{rpo_ms} && defined $drill->{rto_ms}, 'and has measured both figures');

# Somebody goes on to write all the while.
$primary->sql('CREATE TABLE clicks (at timestamptz DEFAULT clock_timestamp())');
my $clicking = $primary->basedir . '/clicking.sql';
append_to_file($clicking, "INSERT INTO clicks DEFAULT VALUES \\watch i=0.02\n");
my $writer = IPC::Run::start([ 'psql', '-XqAt', '-d', $primary->connstr('mfi_banking'), '-f', $clicking ], '<', '/dev/null', '>', '/dev/null');
$primary->wait_sql('SELECT count(*) > 2 FROM clicks');

my @store = ('--store', store_of($standby), '--scratch', $standby->basedir);

# A moment with all that was committed before it, and nothing of after.
sub moment
{
	my ($node) = @_;
	return $node->safe_psql('postgres', q{SELECT clock_timestamp(); SELECT pg_sleep(0.01)}) =~ s/\n.*//sr;
}
sub count_in { my ($node, $database, $sql) = @_; return $node->safe_psql($database, $sql); }

my $sum = 'SELECT count(*) || \' \' || coalesce(sum(amount), 0) FROM ledger';
my $before = $primary->sql($sum);

my $t = moment($primary);
$primary->sql('DELETE FROM ledger WHERE id % 3 = 0');
my $said = does_ok('a DELETE is undone', $primary, 'recover', '--to', $t, '--into', 'undone', @store);
is(count_in($primary, 'undone', $sum), $before, 'every row is there');
like($said, qr/public\.ledger +20000 +13334 +differs\n/, 'and what is lost is told before anything is touched');
is($primary->sql('SELECT count(*) FROM ledger'), '13334', 'the live table is as it was');

my $left = $primary->sql($sum);
$t = moment($primary);
$primary->sql('UPDATE ledger SET amount = 0');
does_ok('an UPDATE without WHERE is undone', $primary, 'recover', '--to', $t, '--into', 'unmade', @store);
is(count_in($primary, 'unmade', $sum), $left, 'every amount is there');

$t = moment($primary);
my $xid = $primary->sql('BEGIN; DROP TABLE ledger; SELECT pg_current_xact_id(); COMMIT') =~ s/\D//gr;
$said = does_ok('a DROP TABLE is undone', $primary, 'recover', '--before-xid', $xid, '--into', 'table_back', @store);
is(count_in($primary, 'table_back', 'SELECT count(*) FROM ledger'), '13334', 'the table is there');
like($said, qr/public\.ledger +13334 +- +differs\n/, 'and is named as the one that is missing now');

$writer->kill_kill;
my $clicks = $primary->sql('SELECT count(*) FROM clicks');
$t = moment($primary);
my $from = $primary->safe_psql('postgres', 'SELECT pg_current_wal_lsn()');
$primary->safe_psql('postgres', 'DROP DATABASE mfi_banking WITH (FORCE)');
my $dropped;
$primary->wait_until('its record is found', sub {
	($dropped) = `pg_waldump -p '@{[ $primary->data_dir ]}/pg_wal' -s $from -r Database 2>&1` =~ / tx: +(\d+), [^\n]* desc: DROP /;
	return $dropped;
});
my (undef, $words) = MfiCommand::command($primary, 'recover', '--before-xid', $dropped, '--into', 'none', @store);
like($words, qr/transaction $dropped drops database "mfi_banking", whose files are gone before it ends; nothing was changed.*--to '2/s,
	'the transaction of a DROP DATABASE is no target');
$said = does_ok('a DROP DATABASE is undone', $primary, 'recover', '--to', $t, '--into', 'bank_back', @store);
is(count_in($primary, 'bank_back', 'SELECT count(*) FROM clicks'), $clicks, 'every row that was committed is there');
like($said, qr/There is no live database mfi_banking.*ALTER DATABASE "bank_back" RENAME TO "mfi_banking"/s, 'with what puts it in its place');
$primary->safe_psql('postgres', 'ALTER DATABASE bank_back RENAME TO mfi_banking');
$primary->sql('CREATE TABLE acked (id int PRIMARY KEY)');
$primary->sql("INSERT INTO acked VALUES ($_)") for 1 .. 5;

refuses('a time before the first base', 'cannot be recovered', $primary, 'recover', '--to', '2020-01-01 00:00:00+00', @store);
(my $code, $words) = MfiCommand::command($primary, 'recover', '--to', '2026-01-01 00:00:00', @store);
like("$code $words", qr/^1 .*does not say in which zone/s, 'a time that may be an hour off is refused');
($code, $words) = MfiCommand::command($primary, 'recover', '--to', '2126-01-01 00:00:00Z', @store);
like("$code $words", qr/^1 .*still to come/s, 'a time to come is refused');

catch_up($primary, $standby);
my $at = moment($primary);
$primary->stop('immediate');
$standby->promote;
$standby->sql("INSERT INTO acked VALUES ($_)") for 6 .. 9;
my $later = moment($standby);
$standby->sql('DELETE FROM acked');
does_ok('a DELETE after the promotion is undone', $standby, 'recover', '--to', $later, '--into', 'after', @store);
is(count_in($standby, 'after', 'SELECT count(*) FROM acked'), '9', 'with the rows of both timelines');
does_ok('a moment before the promotion is reached', $standby, 'recover', '--to', $at, '--into', 'before', @store);
is(count_in($standby, 'before', 'SELECT count(*) FROM acked'), '5', 'with its rows');
$standby->sql("INSERT INTO acked VALUES (100)");
my $stored = $standby->safe_psql('postgres', 'SELECT pg_current_wal_flush_lsn()');
$standby->wait_sql("SELECT flush_lsn >= '$stored' FROM pg_stat_replication WHERE application_name = 'mfi recovery'");
my $kept = store_of($standby);
$standby->stop('immediate');

# Both machines are lost.
my $new = MfiNode->new('new_machine');
my $list = does_ok('what can be recovered is listed without a server', $standby, 'recover', '--list', '--store', $kept);
like($list, qr/from \d{4}-\d\d-\d\dT[\d:]+Z \(base \S+-full\) to the newest WAL/, 'from when to when');
does_ok('a node is built from the store alone', $standby, 'recover', '--to', 'latest', '--cluster', $new->data_dir, '--store', $kept);
$new->append_conf('postgresql.conf', "port = @{[ $new->port ]}\nmfi.recovery_directory = ''\n");
$new->start;
is($new->safe_psql('mfi_banking', 'SELECT string_agg(id::text, \',\') FROM acked'), '100', 'which has the newest commit');
is($new->safe_psql('postgres', 'SELECT pg_is_in_recovery()'), 'f', 'and takes writes');
$new->stop;
done_testing();
