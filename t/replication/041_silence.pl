# A WAL receiver that hangs still says "streaming" on both nodes: only the age of the last message tells.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiPair qw(pair verdict);
use Test::More;

my ($primary, $standby) = pair();
for my $node ($primary, $standby)
{
	$node->wait_sql("SELECT verdict = 'ok' FROM mfi_replication_health");
}
my $receiver = $standby->pid_of('walreceiver');
my $stopped_at = time;
kill 'STOP', $receiver;
for my $node ($primary, $standby)
{
	my $code = $node == $primary ? 'standby-silent' : 'upstream-silent';
	$node->wait_sql("SELECT verdict <> 'ok' AND reasons::text ~ '$code' FROM mfi_replication_health");
	# mfi.silence_warning is 8 s; on top of it, the heartbeat before the stop, two samples and this test's own polls.
	cmp_ok(time - $stopped_at, '<', 8 + 6 + 4, "${\$node->name} notices within the silence limit");
	is($node->sql('SELECT state, lag_bytes IS NOT NULL FROM mfi_replication_status()'), 'streaming|t', 'while its state is still streaming');
}
for my $node ($primary, $standby)
{
	$node->wait_sql("SELECT verdict = 'critical' FROM mfi_replication_health");
	pass("${\$node->name} is critical after mfi.silence_critical");
}
kill 'CONT', $receiver;
for my $node ($primary, $standby)
{
	$node->wait_sql("SELECT verdict = 'ok' FROM mfi_replication_health");
	is(verdict($node), 'ok|', "${\$node->name} returns to ok");
}

# A standby that need not say anything: the verdict does not pretend to know.
$standby->append_conf('postgresql.conf', "wal_receiver_timeout = 0\nmfi.silence_warning = 1\nmfi.silence_critical = 3\n");
$standby->reload;
$standby->wait_sql("SELECT verdict = 'unknown' AND reasons::text ~ 'cannot-know.*wal_receiver_timeout' FROM mfi_replication_health");
pass('silence that wal_receiver_timeout = 0 allows: unknown, not ok');

$standby->stop;
$primary->stop;
done_testing();
