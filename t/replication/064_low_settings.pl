# A standby whose primary was given higher settings than its own stops replaying, and ends when it is resumed or promoted: mfi promote does
# neither, and says what to raise.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use MfiPair qw(pair catch_up);
use MfiCommand qw(command does_ok refuses);
use File::Copy qw(copy);
use PostgreSQL::Test::Utils qw(slurp_dir);
use Test::More;

my %before = (max_connections => 20, max_worker_processes => 8, max_wal_senders => 5, max_prepared_transactions => 2, max_locks_per_transaction => 64);
my %after = map { $_ => $before{$_} + 3 } keys %before;
my @quick = ('--within', '0.3');
my ($primary, $standby) = pair(conf => "listen_addresses = '127.0.0.1'\n" . join('', map { "$_ = $before{$_}\n" } sort keys %before));
$standby->append_conf('postgresql.conf', "primary_conninfo = 'host=127.0.0.1 port=@{[ $primary->port ]} application_name=db-replica'\n");
$standby->reload;
my $paused = "SELECT pg_get_wal_replay_pause_state() = 'paused'";

# no_resume(WHAT, NAME...): promotion is refused, names these settings and no others, and the server lives.
sub no_resume
{
	my ($what, @names) = @_;
	my ($code, $said) = command($standby, 'promote', @quick, '--primary-is-down');
	my $raise = join(', ', map { "$_ to at least $after{$_} \\(it is $before{$_}\\)" } @names);
	like("$code $said", qr/^1 .*its primary has higher settings; nothing was changed\n +Raise $raise, restart this server, and run this again/s, "$what: says what to raise");
	unlike($said, qr/pg_wal_replay_resume/, "$what: not to resume");
	is($standby->sql('SELECT pg_is_in_recovery()'), 't', "$what: the server is there, and a standby");
	return;
}

my @raised;
for my $name (qw(max_connections max_worker_processes max_wal_senders max_prepared_transactions max_locks_per_transaction))
{
	$primary->append_conf('postgresql.conf', "$name = $after{$name}\n");
	$primary->restart;
	$standby->wait_sql($paused);
	no_resume($name, $name);
	like($standby->sql('SELECT verdict, reasons, next_steps FROM mfi_replication_health'),
		qr/^critical\|.*standby-settings-low: [^"]* it is in $name".*Set $name to at least $after{$name} \(it is $before{$name}\) and restart this server\. Do not resume/s, "$name: the verdict says so");
	$standby->append_conf('postgresql.conf', "$name = $after{$name}\n");
	$standby->restart;
	catch_up($primary, $standby);
	is($standby->sql('SELECT pg_get_wal_replay_pause_state()'), 'not paused', "$name: raised and restarted, it goes on");
}

# An operator's own pause is told from it.
$standby->sql('SELECT pg_wal_replay_pause()');
refuses('a pause', 'replay is paused', $standby, 'promote', @quick);
my (undef, $said) = command($standby, 'promote', @quick);
like($said, qr/pg_wal_replay_resume\(\), then run this again/, 'which is resumed');

$standby->sql('SELECT pg_wal_replay_resume()');

# What a promotion itself comes to: it replays all that has arrived first. The rest comes by hand,
# as a standby that waits asks for nothing.
$standby->append_conf('postgresql.conf', "recovery_min_apply_delay = '1h'\n");
catch_up($primary, $standby);
$standby->stop;
$primary->safe_psql('postgres', 'CREATE TABLE later ()');
%before = %after;
$after{max_connections} = 40;
$primary->append_conf('postgresql.conf', "max_connections = 40\n");
$primary->restart;
$primary->stop;
for my $segment (grep { /^[0-9A-F]{24}$/ } slurp_dir($primary->data_dir . '/pg_wal'))
{
	copy($primary->data_dir . "/pg_wal/$segment", $standby->data_dir . "/pg_wal/$segment") or die $!;
}
$standby->start;
$standby->wait_sql("SELECT wait_event = 'RecoveryApplyDelay' FROM pg_stat_activity WHERE backend_type = 'startup'");
(my $code, $said) = command($standby, 'promote', @quick, '--primary-is-down');
like("$code $said", qr/^1 .*higher settings in what it still had to replay: it cannot become the primary yet\n +Raise max_connections to at least 40 \(it is 23\)/s, 'it comes to such settings only now');
is($standby->sql('SELECT pg_is_in_recovery()'), 't', 'the server is there, and a standby');
no_resume('again', 'max_connections');
$standby->append_conf('postgresql.conf', "max_connections = 40\nrecovery_min_apply_delay = 0\n");
$standby->restart;
does_ok('raised and restarted, it is promoted', $standby, 'promote', @quick);
is($standby->sql('SELECT pg_is_in_recovery()'), 'f', 'it is the primary');
$standby->stop;
done_testing();
