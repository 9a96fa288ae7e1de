# The network between the two nodes swallows what they send, one way and both ways, and neither is told: both say so within
# the limit of silence, nothing is restarted for it, and both say ok when it is mended.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiPair qw(pair);
use MfiProxy;
use Test::More;
use Time::HiRes qw(time);

my ($primary, $standby) = pair(conf => "mfi.silence_warning = 4\nmfi.silence_critical = 6\n");
my $network = MfiProxy->new($primary);
my $conninfo = sprintf 'host=%s port=%s application_name=db-replica', $network->host, $primary->port;
$standby->set('primary_conninfo' => "'$conninfo'");
my %started = map { $_->name => $_->sql('SELECT pg_postmaster_start_time()') } $primary, $standby;
my $connected = sub {
	$standby->wait_sql("SELECT conninfo LIKE '%@{[ $network->host ]}%' AND status = 'streaming' FROM pg_stat_wal_receiver");
	$_->wait_sql("SELECT verdict = 'ok' FROM mfi_replication_health") for $primary, $standby;
};
$connected->();

for my $cut ('cut_replies', 'cut_both')
{
	$network->$cut;
	my $began = time;
	my %says = (
		$primary->name => 'standby-silent: db-replica has said nothing|standby-missing: db-replica is not connected',
		$standby->name => 'upstream-silent|upstream-lost: no WAL receiver is running');
	for my $node ($primary, $standby)
	{
		$node->wait_sql("SELECT verdict <> 'ok' AND reasons::text ~ '$says{$node->name}' FROM mfi_replication_health");
		# mfi.silence_warning is 4 s; on top of it, the message before the cut, two looks and this test's own polls.
		cmp_ok(time - $began, '<', 4 + 2 + 6, "$cut: " . $node->name . ' notices in time');
	}
	$_->wait_sql("SELECT verdict = 'critical' FROM mfi_replication_health") for $primary, $standby;
	pass("$cut: critical on both after mfi.silence_critical");
	$network->mend;
	$connected->();
	pass("$cut: ok on both when it is mended");
}
is($_->sql('SELECT pg_postmaster_start_time()'), $started{ $_->name }, $_->name . ' was never restarted') for $primary, $standby;
$standby->stop;
$primary->stop;
done_testing();
