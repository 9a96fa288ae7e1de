# Receivers of WAL that are no standbys of this node, and a standby of the standby: none confuses the verdict.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use IPC::Run ();
use MfiNode;
use MfiPair qw(pair base_backup verdict);
use Test::More;

my ($primary, $standby) = pair(conf => "wal_level = logical\n");
for my $node ($primary, $standby)
{
	$node->wait_sql("SELECT verdict = 'ok' FROM mfi_replication_health");
}

# Runs a client program that receives WAL beside the pair: it is no standby while it runs, nor missing afterwards.
sub beside
{
	my ($name, @command) = @_;
	local %ENV = $primary->_get_env(PGAPPNAME => undef);
	my ($out, $err) = ('', '');
	my $client = IPC::Run::start([ 'setsid', @command ], '<', \'', '>', \$out, '2>', \$err);
	$primary->wait_sql("SELECT EXISTS (SELECT FROM pg_stat_replication WHERE application_name = '$command[0]')");
	$primary->wait_sql("SELECT verdict = 'ok' FROM mfi_replication_health");
	is($primary->sql('SELECT count(*) FROM mfi_replication_status()'), '1', "$name: no row of its own");
	is(verdict($primary), 'ok|', "$name: ok while it runs");
	# All of its processes: pg_basebackup alone would leave its WAL stream behind.
	kill TERM => -$client->{KIDS}[0]{PID};
	$client->finish;
	$primary->wait_sql("SELECT NOT EXISTS (SELECT FROM pg_stat_replication WHERE application_name = '$command[0]')");
	$primary->wait_sql('SELECT count(*) = 1 FROM mfi_replication_status()');
	is(verdict($primary), 'ok|', "$name: gone and forgotten");
	return;
}

my $dir = PostgreSQL::Test::Utils::tempdir;
mkdir "$dir/wal" or die;
beside('base backup', 'pg_basebackup', '-D', "$dir/copy", '-X', 'stream', '--max-rate=32k', '--checkpoint=fast');
beside('base backup without a slot', 'pg_basebackup', '-D', "$dir/copy2", '-X', 'stream', '--no-slot', '--max-rate=32k', '--checkpoint=fast');
beside('pg_receivewal', 'pg_receivewal', '-D', "$dir/wal", '--status-interval=1', '--no-loop');

# Logical decoding: neither its walsender nor its idle slot is a standby.
$primary->sql('CREATE PUBLICATION everything FOR ALL TABLES');
$primary->sql("SELECT pg_create_logical_replication_slot('feed', 'pgoutput')");
is(verdict($primary), 'ok|', 'an idle logical slot is no missing standby');
beside('pg_recvlogical', 'pg_recvlogical', '-d', 'mfi_banking', '--slot=feed', '--start', '--no-loop', '-f', '-', '-o', 'proto_version=1',
	'-o', 'publication_names=everything');
$primary->restart;
$primary->launcher_ready;
$primary->wait_sql("SELECT verdict = 'ok' FROM mfi_replication_health");
is($primary->sql('SELECT peer FROM mfi_replication_status()'), 'db-replica', 'nothing of them is remembered');

# A standby of the standby.
base_backup($standby, 'copy_for_third');
$standby->sql("SELECT pg_create_physical_replication_slot('db_third')");
my $third = MfiNode->new('db_third');
$third->init_from_backup($standby, 'copy_for_third', has_streaming => 1);
$third->append_conf('postgresql.conf', <<"CONF");
primary_slot_name = 'db_third'
primary_conninfo = '@{[ $standby->connstr ]} application_name=db-third'
CONF
$third->start;
for my $node ($primary, $standby, $third)
{
	$node->wait_sql("SELECT verdict = 'ok' AND peers_connected > 0 FROM mfi_replication_health");
}
$standby->wait_sql('SELECT count(*) = 2 FROM mfi_replication_status()');
is($standby->sql("SELECT string_agg(state, ',') FROM mfi_replication_status() WHERE verdict = 'ok'"), 'streaming,streaming',
	'the standby between: its upstream and its own standby');
is($standby->sql('SELECT node_role FROM mfi_replication_health'), 'standby', 'and it is a standby');
is($third->sql('SELECT state FROM mfi_replication_status()'), 'streaming', 'the last one: its upstream');
is($primary->sql('SELECT string_agg(peer, $$,$$) FROM mfi_replication_status()'), 'db-replica', 'the primary knows only its own');
$primary->sql('CREATE TABLE passed_on AS SELECT 1');
$third->wait_sql("SELECT to_regclass('passed_on') IS NOT NULL");
$third->stop;
$standby->wait_sql('SELECT count(*) = 1 FROM mfi_replication_status()');
is(verdict($standby), 'ok|', 'the last one stopped: the standby is well');
$standby->stop;
$primary->stop;
done_testing();
