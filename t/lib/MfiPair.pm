package MfiPair;

# A primary and a hot standby, cloned by pg_basebackup, streaming through a slot; both with mfi loaded.

use strict;
use warnings FATAL => 'all';
use Exporter qw(import);
use MfiNode;
use PostgreSQL::Test::Cluster;

our @EXPORT_OK = qw(pair clone base_backup catch_up verdict);

# Heartbeats come more often than the silence limit, as with PostgreSQL's defaults, only faster.
my $conf = <<'CONF';
wal_receiver_status_interval = 1s
wal_receiver_timeout = 6s
wal_sender_timeout = 60s
wal_retrieve_retry_interval = 500ms
max_slot_wal_keep_size = '1GB'
hot_standby_feedback = on
mfi.silence_warning = 8
mfi.silence_critical = 12
CONF

# (primary, standby), both running and at one; parameters are MfiNode->bank's, for the primary.
sub pair
{
	my (%params) = @_;
	my $primary = MfiNode->bank('db_primary', %params, streaming => 1, conf => $conf . ($params{conf} // ''));
	my $standby = clone($primary, 'db_replica', 'db-replica');
	return ($primary, $standby);
}

# pg_basebackup of a running node; MfiNode's own `backup` is mfi's.
sub base_backup { return PostgreSQL::Test::Cluster::backup(@_) }

# Clones and starts a standby that calls itself by the given application name.
sub clone
{
	my ($upstream, $name, $application_name) = @_;
	my $copy = "copy_for_$name";
	base_backup($upstream, $copy);
	$upstream->safe_psql('postgres', "SELECT pg_create_physical_replication_slot('$name')");
	my $standby = MfiNode->new($name);
	$standby->init_from_backup($upstream, $copy, has_streaming => 1);
	$standby->{database} = $upstream->database;
	mkdir $standby->backups or die $!;
	$standby->append_conf('postgresql.conf', <<"CONF");
primary_slot_name = '$name'
primary_conninfo = '@{[ $upstream->connstr ]} application_name=$application_name'
mfi.backup_directory = '@{[ $standby->backups ]}'
CONF
	$standby->start;
	$upstream->wait_sql("SELECT state = 'streaming' FROM pg_stat_replication WHERE application_name = '$application_name'");
	catch_up($upstream, $standby);
	# A standby that goes before the launcher has looked would be missed by its slot's name.
	$upstream->wait_sql("SELECT last_message_age IS NOT NULL FROM mfi_replication_status() WHERE peer = '$application_name'");
	return $standby;
}

# Waits until the standby has replayed what the primary has written by now.
sub catch_up
{
	my ($primary, $standby) = @_;
	my $lsn = $primary->sql('SELECT pg_current_wal_lsn()');
	$standby->wait_sql("SELECT pg_last_wal_replay_lsn() >= '$lsn'");
	return;
}

# verdict(NODE): "verdict|codes of the reasons", as the node's replication health has it.
sub verdict
{
	my ($node) = @_;
	return $node->sql(q{SELECT verdict || '|' || coalesce((SELECT string_agg(split_part(r, ':', 1), ',') FROM unnest(reasons) r), '')
		FROM mfi_replication_health});
}

1;
