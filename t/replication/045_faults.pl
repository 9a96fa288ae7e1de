# Faults of a pair, one after the other on the same two servers: before each both nodes say ok, during it each says the
# right verdict and reason in time, after it both say ok again. (Silence: 041; promotion and what follows: 046.)

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use IPC::Run ();
use MfiPair qw(pair base_backup catch_up);
use Test::More;
use Time::HiRes qw(time);

my ($primary, $standby) = pair(conf => "archive_mode = on\narchive_command = 'true'\n");
my %node = (primary => $primary, standby => $standby);

sub wait_ok
{
	for my $node ($primary, $standby)
	{
		$node->wait_sql("SELECT verdict = 'ok' FROM mfi_replication_health");
	}
	# Not before the launcher has looked, too: a standby that goes earlier has been missing since it went the last time.
	$primary->wait_sql("SELECT bool_and(last_message_age IS NOT NULL) FROM mfi_replication_status()");
	return;
}

sub write_wal
{
	my ($megabytes) = @_;
	$primary->sql("SELECT pg_logical_emit_message(false, 'mfi', repeat('x', 1024 * 1024)) FROM generate_series(1, $megabytes)");
	return;
}

sub stop_standby
{
	$standby->stop(@_);
	$primary->wait_sql("SELECT count(*) = 0 FROM pg_stat_replication");
	return;
}

# Each: name, what goes wrong, what both nodes must say ([verdict, reason]; ok; or down, when it cannot be asked), and how it
# is cured. Two sample
# intervals are 0.4 s here; the rest of the limit is for starting psql on a busy machine.
my $in_time = 5;
my @faults = (
	{
		name => 'standby stopped',
		cause => sub { stop_standby() },
		says => { primary => [ 'warning', 'standby-missing: db-replica is not connected' ], standby => 'down' },
		cure => sub { $standby->start },
	},
	{
		name => 'standby killed',
		cause => sub { stop_standby('immediate') },
		says => { primary => [ 'warning', 'standby-missing: db-replica is not connected' ], standby => 'down' },
		cure => sub { $standby->start },
	},
	{
		name => 'primary killed',
		cause => sub { $primary->stop('immediate') },
		says => { standby => [ 'warning', 'upstream-lost: no WAL receiver is running' ], primary => 'down' },
		cure => sub { $primary->start; $primary->launcher_ready },
	},
	{
		name => 'replay paused',
		cause => sub { $standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()') },
		says => { standby => [ 'warning', 'replay-paused' ], primary => 'ok' },
		cure => sub { $standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()') },
	},
	{
		name => 'replay slower than writes',
		cause => sub {
			$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
			$_->set('mfi.lag_warning' => "'1MB'", 'mfi.lag_critical' => "'64MB'") for $primary;
			write_wal(4);
		},
		says => {
			primary => [ '(warning|critical)', 'standby-behind: db-replica is .* MB behind, and never catches up like this: replay is slower than writes' ],
			standby => [ 'warning', 'replay-paused' ],
		},
		check => sub {
			is($primary->sql('SELECT catchup_eta FROM mfi_replication_status()'), 'infinity', 'the estimate is: never');
		},
		cure => sub {
			$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
			$primary->set('mfi.lag_warning' => 'DEFAULT', 'mfi.lag_critical' => 'DEFAULT');
		},
	},
	{
		name => 'a slot that keeps dead rows, and more WAL than it may',
		cause => sub {
			$primary->wait_sql("SELECT xmin IS NOT NULL FROM pg_replication_slots");
			stop_standby();
			$primary->set('mfi.silence_warning' => '1', 'max_slot_wal_keep_size' => "'20GB'");
			$primary->sql('CREATE TABLE rows_of_many_transactions (i int)');
			$primary->sql('DO $$ BEGIN FOR i IN 1 .. 100001 LOOP BEGIN INSERT INTO rows_of_many_transactions VALUES (i);'
				  . ' EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$');
			write_wal(64);
		},
		says => { primary => [ '(warning|critical)', 'slot-at-risk: slot db_replica will lose WAL in about' ], standby => 'down' },
		check => sub {
			like($primary->sql('SELECT reasons FROM mfi_replication_health'),
				qr/slot-xmin-age: slot db_replica keeps VACUUM from removing the dead rows of the last 10\d+ transactions/, 'slot-xmin-age');
		},
		cure => sub {
			$primary->set('mfi.silence_warning' => 'DEFAULT', 'max_slot_wal_keep_size' => 'DEFAULT');
			$standby->start;
		},
	},
	{
		name => 'a slot without bound',
		cause => sub {
			stop_standby();
			$primary->set('mfi.silence_warning' => '1', 'max_slot_wal_keep_size' => "'-1'");
			write_wal(64);
		},
		# critical: the 64 MB alone would fill a small disk within an hour (disk-filling)
		says => { primary => [ '(warning|critical)', 'slots-unbounded' ], standby => 'down' },
		cure => sub {
			$primary->set('mfi.silence_warning' => 'DEFAULT', 'max_slot_wal_keep_size' => 'DEFAULT');
			$standby->start;
		},
	},
	{
		name => 'the disk of WAL is nearly full',
		cause => sub { $primary->set('max_wal_size' => "'2000TB'") },
		says => { primary => [ 'warning', 'disk-nearly-full: the disk of pg_wal has .* left, less than max_wal_size' ], standby => 'ok' },
		cure => sub { $primary->set('max_wal_size' => 'DEFAULT') },
	},
	{
		name => 'WAL cannot be archived',
		cause => sub {
			$primary->set('archive_command' => "'false'");
			$primary->sql('SELECT pg_switch_wal()');
		},
		says => { primary => [ 'critical|warning', 'archive-failing: WAL file 0[0-9A-F]+ cannot be archived' ], standby => 'ok' },
		cure => sub {
			$primary->set('archive_command' => 'DEFAULT');
			$primary->sql('SELECT pg_switch_wal()');
		},
	},
	{
		name => 'a synchronous standby is missing',
		cause => sub { $primary->set('synchronous_standby_names' => "'ghost'") },
		says => { primary => [ 'critical', 'sync-standby-missing: commits wait: 0 of 1' ], standby => 'ok' },
		cure => sub { $primary->set('synchronous_standby_names' => 'DEFAULT') },
	},
	{
		name => 'ten restarts in a row',
		cause => sub {
			for (1 .. 10)
			{
				$standby->stop('immediate');
				$standby->start;
			}
			stop_standby();
		},
		says => { primary => [ 'warning', 'standby-missing' ], standby => 'down' },
		check => sub { is($primary->sql('SELECT count(*) FROM mfi_replication_status()'), '1', 'it is one standby') },
		cure => sub { $standby->start },
	},
	{
		name => 'the slot is lost',
		cause => sub {
			stop_standby();
			my $needed = $primary->sql('SELECT pg_walfile_name(restart_lsn) FROM pg_replication_slots');
			$primary->set('max_slot_wal_keep_size' => "'16MB'");
			for (1 .. 3)
			{
				write_wal(1);
				$primary->sql('SELECT pg_switch_wal()');
			}
			# A file that is not archived yet stays, and the standby would find it.
			$primary->wait_sql("SELECT last_archived_wal >= '$needed' FROM pg_stat_archiver");
			$primary->sql('CHECKPOINT');
			$standby->start;
		},
		says => {
			primary => [ 'critical', 'slot-lost: slot db_replica has lost WAL that its standby needs' ],
			standby => [ '(warning|critical)', 'upstream-lost' ],
		},
		check => sub {
			like($primary->sql('SELECT next_steps FROM mfi_replication_health'), qr/cloned anew \(pg_basebackup\)/, 'and what to do');
			like($primary->sql('SELECT summary, slot_retained_bytes IS NULL FROM mfi_replication_status()'),
				qr/slot db_replica is lost\|t/, 'the figures went, the state did not');
		},
	});

for my $fault (@faults)
{
	wait_ok();
	pass("$fault->{name}: both nodes say ok before");
	$fault->{cause}->();
	my $began = time;
	for my $where ('primary', 'standby')
	{
		if ($fault->{says}{$where} eq 'down')
		{
			isnt($node{$where}->psql('postgres', 'SELECT 1'), 0, "$fault->{name}: the $where is down");
			next;
		}
		if ($fault->{says}{$where} eq 'ok')
		{
			$node{$where}->wait_sql("SELECT verdict = 'ok' AND reasons = '{}' FROM mfi_replication_health");
			cmp_ok(time - $began, '<', $in_time, "$fault->{name}: the $where has no reason of its own");
			next;
		}
		my ($verdict, $reason) = @{ $fault->{says}{$where} };
		$node{$where}->wait_sql("SELECT verdict ~ '^($verdict)\$' AND EXISTS (SELECT FROM unnest(reasons) r WHERE r ~ '^$reason')"
			  . ' FROM mfi_replication_health');
		cmp_ok(time - $began, '<', $in_time, "$fault->{name}: the $where says so in time");
	}
	$fault->{check}->() if $fault->{check};
	$fault->{cure}->() if $fault->{cure};
}
$standby->stop;
$primary->stop;
done_testing();
