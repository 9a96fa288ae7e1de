# A healthy pair, asked again and again on both nodes while it idles, works, is copied, checkpoints and reconnects, never
# raises an alarm; and what it was like is in the history of both nodes, for which nothing is written.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use IPC::Run ();
use MfiPair qw(pair base_backup catch_up);
use Test::More;

my ($primary, $standby) = pair();
my $seconds = $ENV{MFI_LONG} ? 300 : 2;
$primary->command_ok([ 'pgbench', '-i', '-q', '-s', '2', 'mfi_banking' ], 'pgbench -i');
catch_up($primary, $standby);
for my $node ($primary, $standby)
{
	$node->wait_sql("SELECT verdict = 'ok' FROM mfi_replication_health");
}

# Asks both nodes for $seconds while WORK goes on; ALLOWED are reasons that are true for a moment, as warnings.
sub no_alarm
{
	my ($name, $work, $allowed) = @_;
	my @watchers;
	for my $node ($primary, $standby)
	{
		my ($out, $err) = ('', '');
		my $sql = <<"SQL";
DO \$\$
DECLARE
  until timestamptz := clock_timestamp() + interval '$seconds s';
  asked int := 0;
  r record;
BEGIN
  WHILE clock_timestamp() < until LOOP
    FOR r IN SELECT verdict, reason FROM mfi_replication_health, unnest(reasons) reason LOOP
      IF r.verdict <> 'warning' OR r.reason !~ '$allowed' THEN RAISE 'false alarm: %', r; END IF;
    END LOOP;
    asked := asked + 1;
    PERFORM pg_sleep(0.02);
  END LOOP;
  RAISE NOTICE 'asked % times', asked;
END \$\$
SQL
		push @watchers, { node => $node, err => \$err,
			run => IPC::Run::start([ 'psql', '-X', '-q', '-d', $node->connstr('mfi_banking'), '-c', $sql ], '<', \'', '>', \$out, '2>', \$err) };
	}
	$work->();
	for my $watcher (@watchers)
	{
		$watcher->{run}->finish;
		my $err = ${ $watcher->{err} };
		like($err, qr/asked \d{2,} times/, "$name: " . $watcher->{node}->name . ' never raises an alarm');
	}
	for my $node ($primary, $standby)
	{
		$node->wait_sql("SELECT verdict = 'ok' FROM mfi_replication_health");
	}
	return;
}

sub pgbench { $primary->run_log([ 'pgbench', '-n', '-c', '2', '-T', $seconds - 1, 'mfi_banking' ]) }

no_alarm('idle', sub { }, 'none');
no_alarm('pgbench', \&pgbench, 'none');
no_alarm('base backup', sub { base_backup($primary, 'copy') }, 'none');
# Each switch is 16 MB of WAL at once: more of them than the standby has taken would be a true warning.
no_alarm(
	'checkpoints and switches of WAL files',
	sub {
		for (1 .. 20)
		{
			$primary->sql('SELECT pg_switch_wal(); CHECKPOINT; SELECT txid_current(); SELECT pg_switch_wal()');
			catch_up($primary, $standby);
		}
	},
	'none');
no_alarm(
	'reconnects',
	sub {
		for (1 .. 2)
		{
			$primary->sql('SELECT pg_terminate_backend(pid) FROM pg_stat_replication');
			$primary->wait_sql("SELECT EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming')");
		}
	},
	'^(standby-missing|standby-not-streaming|upstream-lost|receiver-not-streaming): ');

# The history.
for my $node ($primary, $standby)
{
	my $role = $node == $primary ? 'primary' : 'standby';
	my $peer = $node == $primary ? q{= 'db-replica'} : q{LIKE '%:%'};
	is($node->sql("SELECT count(*) > 10 AND min(lag_bytes) >= 0 AND max(wal_bytes_per_s) > 10000 AND max(replay_bytes_per_s) > 10000"
			. " AND min(wal_disk_free_bytes) > 0 AND bool_or(connected) AND max(last_message_age) < interval '8 s'"
			. " FROM mfi_replication_history('10 min') WHERE node_role = '$role' AND timeline = 1 AND peer $peer"),
		't', "$role: its history has rates, lag and ages");
	is($node->sql("SELECT count(*) FROM mfi_replication_history('0 s')"), '0', "$role: nothing is newer than now");
	is($node->sql("SELECT bool_and(sampled_at > now() - interval '1 s') FROM mfi_replication_history('1 s')"), 't', "$role: only what was asked for");
}
like($primary->error("SELECT * FROM mfi_replication_history('infinity'::interval) LIMIT 0; SELECT mfi_replication_history('x')"),
	qr/invalid input syntax for type interval/, 'bad input');

# A query that replay cancels is counted, by its kind, where it was cancelled.
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = 0\nmax_standby_archive_delay = 0\n");
$standby->reload;
my $reader = $standby->background_psql('mfi_banking', on_error_stop => 0);
$reader->query('BEGIN; SELECT count(*) FROM pgbench_branches;');
$primary->sql('TRUNCATE pgbench_branches');
$standby->wait_sql('SELECT sum(conflicts_lock) = 1 AND sum(conflicts_snapshot) = 0 FROM mfi_replication_history()');
pass('a recovery conflict is in the history of the standby');
$reader->{run}->kill_kill;

# Nothing of it makes WAL: while nobody writes, looks go on and the end of WAL stays where it is.
$primary->wait_until('a second of looks without WAL',
	sub {
		return $primary->sql("SELECT count(*) > 4 AND count(DISTINCT wal_lsn) = 1 FROM mfi_replication_history('1 s')") eq 't';
	});
pass('looking writes no WAL');
$standby->stop;
$primary->stop;
done_testing();
