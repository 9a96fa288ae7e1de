# The clusters that the field has, on real servers: two standbys of one name without slots, a standby behind one that does not replay,
# one that is fed by files alone, one that is delayed on purpose, one whose slot keeps nothing while it replays nothing. What is told
# of each is true, and nothing else is told. With MFI_LONG they idle for an hour under the usual time-outs: no false alarm.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use MfiPair qw(base_backup pair verdict);
use Test::More;
use Time::HiRes qw(usleep);

my $archive = PostgreSQL::Test::Utils::tempdir;
my ($primary, $standby) = pair(conf => <<"CONF");
archive_mode = on
archive_command = 'cp "%p" "$archive/%f"'
max_wal_senders = 20
mfi.lag_warning = '2MB'
mfi.lag_critical = '1GB'
CONF
my $is = sub { my ($node, $verdict, $name) = @_; $node->wait_sql("SELECT '$verdict' = verdict || '|' || coalesce((SELECT string_agg(split_part(r, ':', 1), ',' ORDER BY r) FROM unnest(reasons) r), '') FROM mfi_replication_health"); return pass("$name: $verdict") };
$is->($_, 'ok|', 'a plain pair, ' . $_->name) for $primary, $standby;

# A standby without a slot, whose configuration is what remains of the primary's.
sub further
{
	my ($upstream, $name, $conf) = @_;
	my $node = MfiNode->new($name);
	base_backup($upstream, "copy_for_$name");
	$node->init_from_backup($upstream, "copy_for_$name", has_streaming => 1);
	$node->{database} = 'mfi_banking';
	$node->append_conf('postgresql.conf', "primary_slot_name = ''\ncluster_name = ''\nmfi.backup_directory = ''\n$conf");
	$node->start;
	return $node;
}
my $names = q{primary_conninfo = '} . $primary->connstr . q{ application_name=walreceiver'};

# Two of one name and from one address: which one it is that goes nobody can tell, that one goes is told.
my @alike = map { further($primary, $_, "$names\n") } qw(first second);
$is->($primary, 'warning|standbys-alike', 'two standbys of one name');
# The second might be the first, come anew, until that one has been heard beside it.
$primary->wait_sql("SELECT count(*) FILTER (WHERE peer ~ '^walreceiver \\(') = 2 AND count(*) = 3 AND bool_and(last_message_age IS NOT NULL) FROM mfi_replication_status() WHERE state = 'streaming'");
pass('each has its row');
$alike[0]->stop;
$primary->wait_sql("SELECT reasons::text ~ 'standby-missing: walreceiver' AND reasons::text ~ 'standbys-alike' FROM mfi_replication_health");
is($primary->sql('SELECT peers_expected, peers_connected FROM mfi_replication_health'), '3|2', 'one of them goes: it is missed');
$primary->restart;
$primary->launcher_ready;
$primary->wait_sql("SELECT peers_expected = 3 AND peers_connected = 2 AND reasons::text ~ 'standby-missing: walreceiver' FROM mfi_replication_health");
pass('and is missed after a restart of the primary');
$alike[0]->start;
$is->($primary, 'warning|standbys-alike', 'it is back');

# The link of one breaks, so that its old walsender is beside the new one for a while: still one standby.
$alike[1]->stop;
$alike[1]->append_conf('postgresql.conf', q{primary_conninfo = '} . $primary->connstr . q{ application_name=db-second'});
$alike[1]->start;
$primary->wait_sql("SELECT EXISTS (SELECT FROM mfi_replication_status() WHERE peer = 'db-second' AND state = 'streaming')");
$primary->sql("ALTER SYSTEM SET mfi.expected_standbys = 'walreceiver, db-second, db-replica'");
$primary->reload;
$is->($primary, 'ok|', 'names of their own');

# A standby of the standby, which does not replay: ahead of its replay, and not on another timeline.
my $third = further($standby, 'db_third', q{primary_conninfo = '} . $standby->connstr . qq{ application_name=db-third'\n});
$standby->sql('SELECT pg_wal_replay_pause()');
$primary->sql('CREATE TABLE much AS SELECT repeat(md5(i::text), 20) FROM generate_series(1, 8000) i');
$third->wait_sql("SELECT to_regclass('much') IS NOT NULL");
$is->($standby, 'warning|replay-behind,replay-paused', 'a standby that does not replay, with one behind it');
$is->($third, 'ok|', 'the one behind it');
# Its slot keeps nothing, however long that lasts.
$primary->sql('INSERT INTO much SELECT repeat(md5(i::text), 20) FROM generate_series(1, 2000) i') for 1 .. 3;
$is->($primary, 'warning|standby-behind', 'on its primary');
$standby->sql('SELECT pg_wal_replay_resume()');
$is->($_, 'ok|', 'replay goes on, ' . $_->name) for $primary, $standby, $third;

# Delayed on purpose.
$alike[1]->append_conf('postgresql.conf', 'recovery_min_apply_delay = 1h');
$alike[1]->reload;
# Replay waits at a commit: what comes behind it is what it is behind.
$primary->sql('INSERT INTO much SELECT repeat(md5(i::text), 20) FROM generate_series(1, 8000) i') for 1 .. 2;
$alike[1]->wait_sql("SELECT summary ~ 'delayed on purpose by recovery_min_apply_delay' AND lag_bytes > 2 * 1024 * 1024 FROM mfi_replication_status()");
$is->($alike[1], 'ok|', 'a standby that is delayed on purpose');
$alike[1]->append_conf('postgresql.conf', 'recovery_min_apply_delay = 0');
$alike[1]->reload;
$is->($alike[1], 'ok|', 'no longer delayed');

# Fed by files alone.
my $files = further($primary, 'files', "primary_conninfo = ''\nrestore_command = 'cp \"$archive/%f\" \"%p\"'\n");
$primary->sql('CREATE TABLE in_a_file AS SELECT 1 AS i; SELECT pg_switch_wal()');
$files->wait_sql("SELECT to_regclass('in_a_file') IS NOT NULL");
$is->($files, 'ok|', 'a standby that is fed by files');
is($files->sql('SELECT peer, state, node_role FROM mfi_replication_status()'), 'archive|archive|standby', 'its row');
is($files->sql('SELECT peers_expected, peers_connected FROM mfi_replication_health'), '1|1', 'it has what it needs');

# They idle, under the usual time-outs of PostgreSQL and of those who lengthened or turned them off.
my @nodes = ($primary, $standby, $third, @alike, $files);
my %allowed = map { $_ => qr/^$/ } qw(60s 10min);
$allowed{0} = qr/^cannot-know$/;
my $seconds = $ENV{MFI_LONG} ? 1200 : 2;
for my $timeout ('60s', '10min', '0')
{
	for my $node (@nodes)
	{
		$node->append_conf('postgresql.conf', "wal_receiver_status_interval = 10s\nwal_receiver_timeout = $timeout\nwal_sender_timeout = $timeout\nmfi.silence_warning = 45\nmfi.silence_critical = 180\nmfi.sample_interval = 1s");
		$node->reload;
	}
	my %said;
	my $until = time + $seconds;
	do
	{
		for my $node (@nodes)
		{
			my (undef, $codes) = split /\|/, verdict($node);
			$said{$_}{ $node->name } = 1 for grep { $_ !~ $allowed{$timeout} } split /,/, $codes // '';
		}
		usleep($ENV{MFI_LONG} ? 5_000_000 : 500_000);
	} while (time < $until);
	is(join('; ', map { my $code = $_; "$code: " . join ', ', sort keys %{ $said{$code} } } sort keys %said), '', "no alarm while all idle with time-outs of $timeout");
}
done_testing();
