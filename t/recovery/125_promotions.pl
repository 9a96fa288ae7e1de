# Promotions of a standby whose WAL ends exactly where a segment does, one after the other, there and back: both nodes'
# stores reach a moment in each timeline, and miss nothing.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiCommand qw(command does_ok);
use MfiNode;
use MfiPair qw(pair catch_up);
use MfiRecovery qw(receive bases drills forget_drills store_of);
use Test::More;

my $rounds = $ENV{MFI_LONG} ? 20 : 5;
my $segment_bytes = 1024 * 1024;
my ($one, $two) = pair(
	initdb => [ '--encoding=UTF8', '--locale=C.UTF-8', '--wal-segsize=1' ],
	conf => "summarize_wal = on\nmax_worker_processes = 16\nwal_log_hints = on\nwal_keep_size = '256MB'\n");
$one->sql('CREATE TABLE journal (id bigserial PRIMARY KEY, timeline int)');
for my $node ($one, $two)
{
	receive($node);
	$node->wait_until('there is a base', sub { return scalar bases($node) });
}

sub number { my ($high, $low) = map { hex } split m{/}, $_[0]; return $high * 2**32 + $low }

# Ends with a segment: nothing follows until the primary is gone, which another record may prevent.
sub end_with_segment
{
	my ($primary, $standby) = @_;
	my $end = $primary->safe_psql('postgres', 'SELECT pg_switch_wal()');
	my $boundary = (int((number($end) - 1) / $segment_bytes) + 1) * $segment_bytes;
	$standby->wait_until('the standby has replayed the segment',
		sub { number($standby->safe_psql('postgres', 'SELECT pg_last_wal_replay_lsn()')) >= $boundary });
	$primary->stop('immediate');
	return number($standby->safe_psql('postgres', 'SELECT GREATEST(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())')) == $boundary;
}

# Ends with rows that the standby never gets, though they are in the primary's own store.
sub end_ahead
{
	my ($primary, $standby) = @_;
	catch_up($primary, $standby);
	$standby->stop;
	$primary->sql('INSERT INTO journal (timeline) SELECT 0 FROM generate_series(1, 1000)');
	await_received($primary, $primary->sql('SELECT pg_current_wal_flush_lsn()'));
	$primary->stop('immediate');
	$standby->start;
	return;
}

my ($primary, $standby) = ($one, $two);
my ($at_boundary, @moments) = (0);
sub note_moment
{
	my ($timeline) = @_;
	$primary->sql("INSERT INTO journal (timeline) SELECT $timeline FROM generate_series(1, 100)");
	my $at = $primary->safe_psql('postgres', 'SELECT clock_timestamp(); SELECT pg_sleep(0.01)') =~ s/\n.*//sr;
	push @moments, { at => $at, timeline => $timeline, rows => $primary->sql('SELECT count(*) FROM journal') };
	$primary->sql("INSERT INTO journal (timeline) VALUES ($timeline)");
	return;
}

# What the node has is in its store.
sub await_received
{
	my ($node, $lsn) = @_;
	$node->wait_sql("SELECT flush_lsn >= '$lsn' FROM pg_stat_replication WHERE application_name = 'mfi recovery'");
	return;
}

for my $round (1 .. $rounds)
{
	note_moment($round);
	my $ahead = $round == 2;
	if ($ahead) { end_ahead($primary, $standby) }
	elsif (end_with_segment($primary, $standby)) { $at_boundary++ }
	$standby->promote;
	($primary, $standby) = ($standby, $primary);
	$primary->sql("INSERT INTO journal (timeline) VALUES ($round + 1)");
	my ($code, $said) = command($standby, 'rejoin', '-D', $standby->data_dir, '-d', $primary->connstr, '--name', 'db-' . $standby->name);
	is($code, 0, "promotion $round: the old primary rejoins") or BAIL_OUT($said);
	like($said, qr/rewind|rewound/i, "promotion $round: by a rewind") if $ahead;
	$standby->_update_pid(1);
	catch_up($primary, $standby);
	my $lsn = $primary->sql('SELECT pg_current_wal_flush_lsn()');
	await_received($_, $lsn) for $primary, $standby;
	pass("promotion $round: both nodes receive");
}
note_moment($rounds + 1);
note("$at_boundary of $rounds promotions were at the boundary of a segment");
cmp_ok($at_boundary, '>=', $rounds - 2, 'promotions were at the boundary of a segment');
my $lsn = $primary->sql('SELECT pg_current_wal_flush_lsn()');
catch_up($primary, $standby);
await_received($_, $lsn) for $primary, $standby;

for my $node ($one, $two)
{
	my $list = does_ok('what can be recovered from ' . $node->name, $node, 'recover', '--list', '--store', store_of($node));
	like($list, qr/ to the newest WAL/, 'up to now');
	unlike($list, qr/missing/, 'and nothing is missing');
}

sub recovers
{
	my ($from, $name, $to, $rows) = @_;
	my $new = MfiNode->new($name);
	my ($code, $words) = command($from, 'recover', '--to', $to, '--cluster', $new->data_dir, '--store', store_of($from));
	is($code, 0, "$name is recovered") or return diag($words);
	$new->append_conf('postgresql.conf', "port = @{[ $new->port ]}\nmfi.recovery_directory = ''\n");
	$new->start;
	is($new->safe_psql('mfi_banking', 'SELECT count(*) FROM journal'), $rows, "$name has its rows");
	$new->stop('immediate');
	return;
}
my $turn = 0;
recovers(($one, $two)[ $turn++ % 2 ], "timeline_$_->{timeline}", $_->{at}, $_->{rows}) for @moments;
my $all = $primary->sql('SELECT count(*) FROM journal');
recovers($_, 'newest_of_' . $_->name, 'latest', $all) for $one, $two;

# Another drill, over all timelines.
for my $node ($primary, $standby)
{
	$node->stop;
	forget_drills($node);
	$node->start;
	$node->wait_until('a drill has ended', sub {
		$primary->sql(q{SELECT pg_logical_emit_message(true, 'test', 'goes on')});
		return scalar drills($node);
	});
	my $drill = (drills($node))[-1];
	is(($drill->{result} // '') . ($drill->{error} // ''), 'ok', 'a drill on ' . $node->name . ' is good');
}
$standby->stop;
$primary->stop;
done_testing();
