# One verdict on replication, on both nodes: well, a standby gone (also over a restart of the primary), and back.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiPair qw(pair base_backup verdict);
use Test::More;

my ($primary, $standby) = pair();

sub both_ok
{
	my ($name) = @_;
	for my $node ($primary, $standby)
	{
		$node->wait_sql("SELECT verdict = 'ok' FROM mfi_replication_health");
		is(verdict($node), 'ok|', "$name: " . $node->name . ' says ok');
	}
	return;
}

both_ok('a healthy pair');
like($primary->sql('SELECT mfi_replication_status()'),
	qr/^\(ok,"db-replica: streaming, \d+ (?:bytes|kB) behind, heard \d s ago, slot db_replica keeps [^"]*",primary,db-replica,streaming,async,/,
	'the primary tells it at a glance');
like($standby->sql('SELECT mfi_replication_status()'), qr/^\(ok,"[^"]*: streaming, \d+ (?:bytes|kB) behind, heard \d s ago",standby,/,
	'so does the standby');
is($primary->sql(q{SELECT peers_expected || '|' || peers_connected || '|' || node_role || '|' || timeline FROM mfi_replication_health}),
	'1|1|primary|1', 'health of the primary');
# The server writes WAL by itself now and then, which is not sent in the same instant.
$primary->wait_sql(q{SELECT lag_bytes >= 0 AND sent_lsn = pg_current_wal_lsn() AND slot_wal_status = 'reserved'
		AND slot_safe_bytes > 900000000 AND last_message_age < interval '8 s' FROM mfi_replication_status()});
pass('columns of the primary');
# A base backup that runs, and one that ran, is no standby.
base_backup($primary, 'another_copy');
both_ok('after a base backup');
is($primary->sql('SELECT count(*) FROM mfi_replication_status()'), '1', 'pg_basebackup is not remembered');

# Replay paused on purpose.
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
is(verdict($standby), 'warning|replay-paused', 'replay paused');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
both_ok('replay resumed');

# Far behind.
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
$primary->set('mfi.lag_warning' => "'1MB'", 'mfi.lag_critical' => "'4MB'");
$primary->sql('CREATE TABLE bulk AS SELECT i, repeat(md5(i::text), 10) FROM generate_series(1, 10000) i');
$primary->wait_sql("SELECT verdict IN ('warning', 'critical') AND reasons::text ~ 'standby-behind' FROM mfi_replication_health");
$primary->sql('CREATE TABLE more AS SELECT i, repeat(md5(i::text), 10) FROM generate_series(1, 20000) i');
$primary->wait_sql("SELECT verdict = 'critical' AND reasons::text ~ 'db-replica is .* MB behind' FROM mfi_replication_health");
pass('a standby far behind: warning, then critical');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
both_ok('caught up');

# The standby is gone.
$standby->stop;
$primary->wait_sql("SELECT state = 'missing' AND missing_since IS NOT NULL FROM mfi_replication_status() WHERE peer = 'db-replica'");
is(verdict($primary), 'warning|standby-missing', 'a standby that just went: warning');
like($primary->sql('SELECT summary FROM mfi_replication_status()'), qr/^db-replica: missing since .*, slot db_replica keeps/, 'it is named');
my $since = $primary->sql('SELECT missing_since FROM mfi_replication_status()');
$primary->restart;
$primary->launcher_ready;
$primary->wait_sql("SELECT state = 'missing' FROM mfi_replication_status() WHERE peer = 'db-replica'");
is($primary->sql('SELECT missing_since FROM mfi_replication_status()'), $since, 'still missing after a restart, since the same moment');
$primary->stop('immediate');
$primary->start;
$primary->launcher_ready;
is($primary->sql('SELECT peer, missing_since FROM mfi_replication_status()'), "db-replica|$since", 'and after a crash');
$primary->wait_sql("SELECT verdict = 'critical' FROM mfi_replication_health");
like($primary->sql('SELECT reasons[1] FROM mfi_replication_health'), qr/^standby-missing: db-replica is not connected, missing for/, 'critical after mfi.silence_critical');
is($primary->sql("SELECT verdict FROM mfi_health('node')"), 'ok', 'the node itself is well');
$standby->start;
both_ok('the standby is back');

# The upstream is gone: never lag 0 and ok.
$primary->stop;
$standby->wait_sql("SELECT verdict <> 'ok' AND reasons::text ~ 'upstream-lost' FROM mfi_replication_health");
like($standby->sql('SELECT verdict, state FROM mfi_replication_status()'), qr/^(warning|critical)\|disconnected$/, 'a dead upstream is not ok');
$standby->wait_sql("SELECT verdict = 'critical' FROM mfi_replication_health");
pass('and critical after mfi.silence_critical');
$primary->start;
both_ok('the upstream is back');

# Expected by name; and none expected.
$primary->set('mfi.expected_standbys' => "'db-replica, db-third'");
$primary->wait_sql("SELECT count(*) = 2 FROM mfi_replication_status()");
like($primary->sql("SELECT verdict, state, summary FROM mfi_replication_status() WHERE peer = 'db-third'"), qr/^warning\|missing\|db-third: missing/, 'one that never came');
$primary->set('mfi.expected_standbys' => "'none'");
both_ok('none expected, one there');
$standby->stop;
$primary->wait_sql("SELECT state = 'missing' FROM mfi_replication_status()");
$primary->sql("SELECT pg_drop_replication_slot('db_replica')");
$primary->wait_sql("SELECT summary = 'no standby connected and none expected' FROM mfi_replication_status()");
is(verdict($primary), 'ok|', 'a standby is forgotten with its slot');

$primary->stop;
done_testing();
