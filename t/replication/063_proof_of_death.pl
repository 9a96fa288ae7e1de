# mfi promote promotes on proof of death alone: nobody listens at any address of the old primary. Whatever else is seen there is told, and
# changes nothing, unless the operator states that it is down.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use IPC::Run ();
use MfiImpostor;
use MfiNode;
use MfiPair qw(pair catch_up);
use MfiCommand qw(command does_ok);
use PostgreSQL::Test::Utils qw(append_to_file slurp_file);
use Test::More;

my @quick = ('promote', '--within', '0.3');
my ($primary, $standby) = pair(conf => "listen_addresses = '127.0.0.1'\nmax_wal_senders = 4\n");
my $port = $primary->port;
$primary->safe_psql('postgres', "SET password_encryption = 'scram-sha-256'; CREATE ROLE other LOGIN REPLICATION PASSWORD 'geheim'");
my $here = 'host=127.0.0.1 port=' . $port;
$standby->append_conf('postgresql.conf', "primary_conninfo = '$here application_name=db-replica'\n");
$standby->reload;

# refused(WHAT, CONNINFO, ANSWERS, REGEX): the stream's connection string leads there, and promotion is refused, as somebody answers or as that
# is no proof of death. It names what it saw.
sub refused
{
	my ($what, $conninfo, $why, $seen) = @_;
	$conninfo =~ s/'/''/g;
	$standby->append_conf('postgresql.conf', "primary_conninfo = '$conninfo'\n");
	$standby->reload;
	$standby->wait_sql(q{SELECT NOT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')});
	my ($code, $said) = command($standby, @quick);
	like("$code $said", qr/^1 .*$why.*nothing was changed\n.*$seen.*--primary-is-down/s, "$what: refused, with what was seen and the way out");
	is($standby->sql('SELECT pg_is_in_recovery()'), 't', "$what: it is a standby still");
	return;
}
my ($answers, $unreached, $unknown) = ('the old primary still answers', '(?:still answers|cannot be reached)', '(?:still answers|not known where)');

# The real primary, which lives.
{
	my ($code, $said) = command($standby, @quick);
	like("$code $said", qr/^1 .*$answers; nothing was changed\n.*its stream is up, and has said something \d+ s ago/s, 'while it streams');
}
$standby->append_conf('postgresql.conf', "primary_conninfo = 'host=127.0.0.1 port=1'\n");
$standby->reload;
$primary->wait_sql("SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'walsender'");
my @taken = map { $primary->background_psql('postgres', replication => 'true') } 1 .. 4;
refused('no room for one more standby', $here, $answers, 'somebody answers, it has no room for one more connection: .*max_wal_senders');
$_->quit for @taken;
{
	my $hba = slurp_file($primary->data_dir . '/pg_hba.conf');
	unlink $primary->data_dir . '/pg_hba.conf' or die $!;
	$primary->append_conf('pg_hba.conf', "local all all trust\nhost replication other 127.0.0.1/32 scram-sha-256\n");
	$primary->reload;
	refused('no entry in pg_hba.conf', $here, $answers, 'it does not let this one in: .*no pg_hba.conf entry');
	refused('another password', "$here user=other password=falsch", $answers, 'it does not let this one in: .*password authentication failed');
	unlink $primary->data_dir . '/pg_hba.conf' or die $!;
	$primary->append_conf('pg_hba.conf', $hba);
	$primary->reload;
}
refused('TLS refused', "$here sslmode=require", $answers, 'somebody answers: .*does not support SSL');
refused('a certificate that is not there', "$here sslmode=verify-full sslrootcert=/nowhere", $answers, 'somebody answers: .*(?:root certificate|does not support SSL)');
refused('one of several', "host=127.0.0.1,127.0.0.1 port=1,$port user=nobody", $answers, 'nobody listens.*somebody answers, it does not let this one in: .*role "nobody" does not exist');
refused('by another name', "host=localhost port=$port user=nobody", $answers, 'localhost \(127\.0\.0\.1\) port \d+: somebody answers');
kill 'STOP', slurp_file($primary->data_dir . '/postmaster.pid') =~ /^(\d+)/ or die $!;
refused('a frozen one', "$here connect_timeout=2", $answers, 'somebody answers: no connection within 2 s');
kill 'CONT', slurp_file($primary->data_dir . '/postmaster.pid') =~ /^(\d+)/ or die $!;

# Where nobody can be asked: no proof.
refused('a name that is not known', 'host=primary.invalid', $unknown, 'primary\.invalid port \d+: ');
refused('a connection string that cannot be read', 'host=127.0.0.1 port', $unknown, 'primary_conninfo: the connection string cannot be read');
refused('none', '', $unknown, 'primary_conninfo: it is empty');
refused('a service', 'service=primary', $unknown, 'primary_conninfo: the connection string names a service');
refused('a socket that is not there', 'host=/nowhere port=5432', $unreached, '/nowhere/\.s\.PGSQL\.5432: No such file');
refused('a socket and a dead port', 'host=/nowhere,127.0.0.1 port=1', $unreached, 'No such file.*nobody listens');
refused('a machine without an answer', 'host=192.0.2.1', $unreached, '192\.0\.2\.1 port \d+: \S+');

# Somebody else has the port. He is somebody, also when the real one is down.
$primary->stop;
for my $state (qw(53300 57P03 57P01 28000 28P01 3D000 42501 55000 0A000 08P01 XX000))
{
	my $error = MfiImpostor::message('E', "SFATAL\0VFATAL\0C$state\0Mit says no\0\0");
	my $impostor = MfiImpostor->new(script => sub { $_[0]->say($error) });
	refused("an error $state", 'host=127.0.0.1 port=' . $impostor->port, $answers, 'somebody answers.*it says no');
}
for my $other ([ 'HTTP', "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" ], [ 'SSH', "SSH-2.0-OpenSSH_9.2p1\r\n" ], [ 'noise', "\xff\0\x01" x 100 ])
{
	my ($name, $words) = @$other;
	my $impostor = MfiImpostor->new(script => sub { $_[0]->say($words); shutdown($_[0]{client}, 2) });
	refused("a server of $name", 'host=127.0.0.1 port=' . $impostor->port, $answers, 'somebody answers');
}
refused("who $_", 'host=127.0.0.1 port=' . MfiImpostor->new(script => $_)->port . ' connect_timeout=2', $answers, 'somebody answers') for 'closes', 'silent';

# The other one of two connection strings, and a server that listens nowhere.
{
	my $impostor = MfiImpostor->new(script => 'closes');
	$standby->set('mfi.peer_conninfo' => "'host=127.0.0.1 port=@{[ $impostor->port ]}'");
	refused('mfi.peer_conninfo leads to somebody', $here, $answers, 'nobody listens.*somebody answers');
	$standby->set('mfi.peer_conninfo' => "''");
}
{
	my ($in, $out) = ("SELECT 1;\n", '');
	my $single = IPC::Run::start([ 'postgres', '--single', '-D', $primary->data_dir, 'postgres' ], '<', \$in, '>', \$out, '2>&1');
	$standby->wait_until('it works in single-user mode', sub { $single->pump_nb; return $out =~ /"1"/ });
	refused('in single-user mode', $here, $answers, 'a server runs on this machine on the same data.*nobody listens');
	$single->finish;
}

{
	my ($code, $said) = command($standby, 'promote', '--force');
	like("$code $said", qr/^2 .*--force.* is gone: use --primary-is-down/s, '--force is gone, and says what takes its place');
	($code, $said) = command($standby, 'promote', '--help');
	unlike($said, qr/--force/, 'nor is it in the help');
	like($said, qr/--primary-is-down\s+you state that the old primary is down and will not come back as a primary/, 'which says what the other one means');
}
refused('what cannot be proven', 'host=primary.invalid', $unknown, 'primary\.invalid');
like(does_ok('on the word of the operator', $standby, @quick, '--primary-is-down'), qr/--primary-is-down: the old primary is not looked for/, 'it says so');
is($standby->sql('SELECT pg_is_in_recovery()'), 'f', 'it is the primary');
$standby->stop;
done_testing();
