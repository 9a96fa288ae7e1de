# Backups dumped from the standby: what is recorded, when the primary stands in, and what happens when the standby or
# its replay gets in the way.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use MfiPair qw(pair catch_up);
use MfiShim qw(install_with replace);
use PostgreSQL::Test::Utils qw(append_to_file);
use Test::More;

my $path = install_with();
my $held = "$path/hold";
replace($path, 'pg_dump', qq(while [ -e '$held' ] && [ "\$1" != --version ]; do sleep 0.05; done\nreal "\$@"));
my ($primary, $standby) = pair(install_path => $path);
my $where = $standby->host . '-' . $standby->port;
my $conninfo = 'host=' . $standby->host . ' port=' . $standby->port . ' user=' . $primary->safe_psql('postgres', 'SELECT current_user');
my $source = sub { $primary->set('mfi.backup_source' => "'$_[0]'", 'mfi.backup_source_conninfo' => "'@{[ $_[1] // $conninfo ]}'") };
# Waits until a node has the dump's snapshot.
my $on = sub {
	my ($node, $id) = @_;
	$node->wait_sql("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'mfi backup $id' AND backend_xmin IS NOT NULL AND state = 'idle in transaction')");
};
my $facts = 'state, verify_method, verify_result, source_role, source_node, source_lag_bytes >= 0';

# A password in a setting would be read by every member of pg_monitor.
for my $secret ('host=a password=geheim', 'postgresql://u:geheim@a/b', 'host=a sslpassword=geheim')
{
	my $error = $primary->error("ALTER SYSTEM SET mfi.backup_source_conninfo = '$secret'");
	like($error, qr/may not hold a password.*passfile/s, "refused: $secret");
	unlike($error, qr/DETAIL.*geheim|HINT.*geheim/, 'and not repeated');
}
like($primary->error("ALTER SYSTEM SET mfi.backup_source_conninfo = 'nonsense'"), qr/no connection string/, 'no connection string');
like($primary->error("ALTER SYSTEM SET mfi.backup_source = 'replica'"), qr/primary, standby, prefer-standby/, 'no such source');

# From the standby, beside writes on the primary.
$primary->sql("INSERT INTO platform_type (name) SELECT 'type ' || i FROM generate_series(1, 1000) i");
catch_up($primary, $standby);
$primary->set('mfi.backup_verify' => 'restore');
for my $name ('standby', 'prefer-standby')
{
	$source->($name);
	my $id = $primary->backup_ok;
	is($primary->run($id, "$facts, error"), "succeeded|restore|ok|standby|$where|t|", "$name: dumped there, proven here");
}
unlike($primary->sql('SELECT reasons FROM mfi_backup_health'), qr/backup-remark/, 'nothing to remark');
$primary->set('mfi.backup_verify' => 'list');

# A dump that waits before it begins, its snapshot already taken, for as long as the file `hold` is there.
my $hold = sub {
	append_to_file($held, '');
	my $id = $primary->backup('held');
	$on->($standby, $id);
	return $id;
};
my $release = sub { unlink $held or die $!; $primary->wait_state($_[0], 'succeeded') };

# Rows vanish under the dump. With feedback they wait for it, without it the dump is cancelled.
my $update = sub { $primary->sql("UPDATE platform_type SET name = name || '.' WHERE name LIKE 'type%'") };
my $vacuum = sub {
	$primary->sql('VACUUM platform_type');
	$primary->sql('SELECT pg_switch_wal()');
};
# Until the standby feels it: a VACUUM leaves rows that any other snapshot of the moment, of a worker for one, may still see.
my $vanish = sub {
	my ($felt) = @_;
	$update->();
	$standby->wait_until($felt, sub { $vacuum->(); return $standby->sql("SELECT $felt") eq 't' });
};
my $id = $hold->();
$update->();
$vacuum->();
catch_up($primary, $standby);
$release->($id);
is($primary->run($id, "$facts, error"), "succeeded|list|ok|standby|$where|t|", 'with feedback: no conflict');

$standby->set(hot_standby_feedback => 'off', max_standby_streaming_delay => '0');
$primary->wait_sql('SELECT bool_and(xmin IS NULL) FROM pg_replication_slots');
my $conflict = sub {
	my ($id) = @_;
	my $session = "FROM pg_stat_activity WHERE application_name = 'mfi backup $id'";
	my $pid = $standby->sql("SELECT pid $session AND backend_xmin IS NOT NULL");
	$vanish->("NOT EXISTS (SELECT $session AND pid = $pid)");
};
$id = $hold->();
$conflict->($id);
$on->($standby, $id);
$release->($id);
is($primary->run($id, $facts), "succeeded|list|ok|standby|$where|t", 'a recovery conflict: begun again on the standby');
like($primary->run($id, 'error'), qr/begun again after a recovery conflict.*hot_standby_feedback = off/, 'and recorded');
like($primary->sql('SELECT verdict || reasons::text FROM mfi_backup_health'),
	qr/^warning.*backup-remark: $id: the dump from the standby was begun again.*hot_standby_feedback/, 'and told');

# A second conflict: the primary stands in.
$id = $hold->();
$conflict->($id);
$on->($standby, $id);
$conflict->($id);
$on->($primary, $id);
$release->($id);
is($primary->run($id, 'source_role, source_lag_bytes, verify_result'), 'primary||ok', 'a second one: the primary stands in');
like($primary->run($id, 'error'), qr/begun again.*; dumped from the primary, because the standby could not be dumped: .*conflict with recovery/s,
	'both facts are recorded');
$standby->set(hot_standby_feedback => 'on', max_standby_streaming_delay => '30000');
$primary->wait_sql('SELECT bool_and(xmin IS NOT NULL) FROM pg_replication_slots');

# A standby that lets its dump hold up replay: both nodes say that it is being dumped.
$standby->set(hot_standby_feedback => 'off', max_standby_streaming_delay => '-1');
$primary->wait_sql('SELECT bool_and(xmin IS NULL) FROM pg_replication_slots');
$_->set('mfi.lag_warning' => "'1MB'") for $primary, $standby;
$id = $hold->();
$vanish->("EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'startup' AND wait_event = 'RecoveryConflictSnapshot')");
$primary->sql("SELECT pg_logical_emit_message(false, 'mfi', repeat('x', 2 * 1024 * 1024))");
$primary->sql('SELECT pg_switch_wal()');
$_->wait_sql("SELECT reasons::text LIKE '%standby-dumping: % behind while a backup is dumped from the standby%' FROM mfi_replication_health")
  for $primary, $standby;
pass('both verdicts know that the standby is being dumped');
$release->($id);
$standby->set(hot_standby_feedback => 'on', max_standby_streaming_delay => '30000');
catch_up($primary, $standby);
$primary->wait_sql('SELECT bool_and(xmin IS NOT NULL) FROM pg_replication_slots');

# Not fit for it.
$standby->sql('SELECT pg_wal_replay_pause()');
$primary->set('mfi.lag_warning' => "'1MB'");
$primary->sql("SELECT pg_logical_emit_message(false, 'mfi', repeat('x', 2 * 1024 * 1024))");
$primary->sql('SELECT pg_switch_wal()');
$standby->wait_sql("SELECT pg_last_wal_receive_lsn() - pg_last_wal_replay_lsn() > 1024 * 1024");
$id = $primary->backup_ok;
like($primary->run($id, 'source_role, error'), qr/^primary\|dumped from the primary, because .*: it is \S+ \S+ behind, allowed are 1/, 'too far behind');
$source->('standby');
like($primary->error('SELECT mfi_backup_now(wait => true)'), qr/the standby could not be dumped: it is \S+ \S+ behind/, 'without a stand-in: fails');
$standby->sql('SELECT pg_wal_replay_resume()');
catch_up($primary, $standby);
$source->('standby', 'host=' . $primary->host . ' port=' . $primary->port);
like($primary->error('SELECT mfi_backup_now(wait => true)'), qr/could not be dumped: it is not a standby/, 'a primary is no standby');

# The standby dies under the dump; then it stays away.
$source->('prefer-standby');
$id = $hold->();
$standby->stop('immediate');
$on->($primary, $id);
$release->($id);
like($primary->run($id, 'source_role, source_node, error'), qr/^primary\|\S+\|dumped from the primary, because the standby could not be dumped: /, 'the standby dies');
$id = $primary->backup_ok;
like($primary->run($id, 'source_role, error'), qr/^primary\|dumped from the primary, because .*(refused|No such file)/s, 'the standby is gone');
$source->('standby');
like($primary->error('SELECT mfi_backup_now(wait => true)'), qr/the standby could not be dumped: .*prefer-standby/s, 'without a stand-in: fails, with the way out');

# Stopped by us while it works on the standby: that is no fault of the standby.
$standby->start;
$primary->wait_sql("SELECT state = 'streaming' FROM pg_stat_replication");
$source->('prefer-standby');
$id = $hold->();
is($primary->sql("SELECT mfi_backup_cancel('$id')"), 't', 'cancel');
$primary->wait_state($id, 'cancelled');
$standby->wait_sql("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'mfi backup $id')");
unlink $held or die $!;
$primary->recovers_ok('after it all');

# Promoted under the dump: its snapshot outlives that, the set is whole. From then on it is no standby.
$id = $hold->();
$standby->promote;
$release->($id);
is($primary->run($id, $facts), "succeeded|list|ok|standby|$where|t", 'promoted under the dump');
$id = $primary->backup_ok;
like($primary->run($id, 'source_role, error'), qr/^primary\|dumped from the primary, because .*: it is not a standby$/, 'and no standby any more');
$standby->stop;
$primary->stop;
done_testing();
