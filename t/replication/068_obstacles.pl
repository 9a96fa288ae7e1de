# No verdict waits: whatever locks, hangs, is frozen or is full, mfi_health answers within two seconds on both nodes and says what
# it could not know.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiFileFault;
use MfiPair qw(pair);
use Test::More;

my ($primary, $standby) = pair(conf => "mfi.peer_conninfo = 'host=127.0.0.1 port=1'\nmax_prepared_transactions = 5\n");
my $fault = MfiFileFault->new;
for my $node ($primary, $standby)
{
	$node->stop;
	$fault->start($node);
	$node->launcher_ready;
}
$primary->backup_ok;

# The time limit is the server's, so that a verdict that waits fails as what it is.
sub says
{
	my ($node, $like, $name) = @_;
	for my $scope ('all', 'node', 'replication', 'backup', 'recovery')
	{
		my ($status, $out, $err) = $node->psql('mfi_banking', "SET statement_timeout = '2s'; SELECT verdict, reasons FROM mfi_health('$scope')");
		is("$status|$err", '0|', "$name: $scope is answered");
		like($out, $like, "$name: and says what it could not know") if $scope eq 'all';
	}
	for my $ask ('SELECT * FROM mfi_replication_status()', 'SELECT * FROM mfi_replication_health', 'SELECT * FROM mfi_backup_health',
		'SELECT * FROM mfi_backup_progress()', 'SELECT * FROM mfi_backups')
	{
		my ($status, $out, $err) = $node->psql('mfi_banking', "SET statement_timeout = '20s'; $ask");
		unlike($err, qr/statement timeout/, "$name: $ask does not wait");
	}
	return;
}

my $holder = $primary->background_psql('mfi_banking');
sub while_held
{
	my ($name, $sql, $like) = @_;
	$holder->query_safe("BEGIN; $sql");
	says($primary, $like, $name);
	$holder->query_safe('ROLLBACK');
	return;
}
while_held('an audit table is locked', 'LOCK TABLE user_auth_logs', qr/audit-locked: mfi_audit\.user_auth_logs_default is locked|cannot-know: the tables of mfi could not be looked at.*user_auth_logs/);
while_held('all tables are locked', q{DO $$ BEGIN EXECUTE (SELECT 'LOCK TABLE ' || string_agg(format('%I', t), ', ') FROM unnest(_mfi_tables()) t); END $$}, qr/locked|locks? them/);
while_held('the version is locked', 'LOCK TABLE mfi.schema_version',
	qr/cannot-know: the tables of mfi could not be looked at, as others lock them: mfi\.schema_version by process \d+, whose transaction began/);
while_held('the watch of the audit tables is locked', 'LOCK TABLE mfi.audit_watch', qr/cannot-know: .*mfi\.audit_watch by process/);
while_held('a migration is not committed', 'SELECT mfi_migrate_schema(); LOCK TABLE portals', qr/.*/);
while_held('an audit table is being rewritten', 'ALTER TABLE user_auth_logs ADD COLUMN colour uuid DEFAULT gen_random_uuid()', qr/locked|locks? them/);
$holder->query_safe("BEGIN; LOCK TABLE user_auth_logs; PREPARE TRANSACTION 'left'");
says($primary, qr/locked|locks? them/, 'a prepared transaction locks an audit table');
$holder->query_safe("ROLLBACK PREPARED 'left'");
$holder->quit;

# A synchronous standby that is dead: whoever commits waits, and whoever asks does not.
$primary->sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
$primary->reload;
my $writer = $primary->background_psql('mfi_banking', on_error_stop => 0);
$writer->{stdin} .= "INSERT INTO portals (name, realm_id, client_id) VALUES ('waits', 'r', 'c');\n";
$writer->{run}->pump_nb;
$primary->wait_sql("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep')");
says($primary, qr/sync-standby-missing/, 'a synchronous standby is dead');
$primary->sql("ALTER SYSTEM RESET synchronous_standby_names");
$primary->reload;
$writer->quit;

# The mount of the backups hangs: already the first who asks does not.
for my $node ($primary, $standby)
{
	$fault->hang($node->backups);
	says($node, qr/backup-directory-unknown: the (?:file system of .* did not answer in time|mfi launcher has been waiting)/, 'the mount of the backups hangs on ' . $node->name);
	$fault->end;
}
$primary->wait_sql("SELECT reasons::text !~ 'launcher-stalled' FROM mfi_health('node')");

# So does that of recovery, alone and with the other.
my $store = $primary->basedir . '/recovery';
mkdir $store, 0700 or die "could not create the recovery directory: $!";
$primary->set('mfi.recovery_directory' => "'$store'");
$primary->wait_sql("SELECT receiver_state = 'receiving' FROM mfi_recovery");
$fault->hang($store);
says($primary, qr/recovery-store-unknown: the file system of .* did not answer in time/, 'the mount of recovery hangs');
is($primary->sql('SELECT error FROM mfi_recovery'), qq(the file system of "$store" does not answer), 'which the view says, too');
$fault->refuse($store => 0, $primary->backups => 0);
says($primary, qr/recovery-store-unknown: /, 'both mounts hang');
$fault->end;
$primary->set('mfi.recovery_directory' => q(''));
$primary->wait_sql("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'mfi receiver')");
$primary->wait_sql("SELECT NOT EXISTS (SELECT FROM pg_replication_slots WHERE active_pid IS NOT NULL AND slot_name = 'mfi_recovery')");
is($primary->sql("SELECT count(*) FROM mfi_replication_status() WHERE slot_name = 'mfi_recovery'"), '0', 'the slot that it leaves is no standby');

# Workers that are frozen.
for my $worker ('mfi launcher', 'mfi watcher')
{
	my $pid = $primary->pid_of($worker);
	kill STOP => $pid;
	says($primary, qr/.*/, "the $worker is frozen");
	kill CONT => $pid;
}

# The other node hangs: frozen as a whole, and frozen at its port.
my @of_standby = map { $_ } split /\n/, $standby->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity');
my $postmaster = ${ \($standby->safe_psql('postgres', 'SELECT 1') && PostgreSQL::Test::Utils::slurp_file($standby->data_dir . '/postmaster.pid')) } =~ /^(\d+)/ ? $1 : die;
$primary->sql(q{ALTER SYSTEM SET mfi.peer_conninfo = 'host=} . $standby->host . ' port=' . $standby->port . q{'});
$primary->reload;
my $receiver = $standby->safe_psql('postgres', 'SELECT pid FROM pg_stat_wal_receiver');
kill STOP => $postmaster, $receiver;
says($primary, qr/.*/, 'the other node is frozen');
$primary->wait_sql("SELECT reasons::text ~ 'standby-silent' FROM mfi_replication_health");
says($primary, qr/standby-silent: db-replica has said nothing/, 'the other node has been frozen for a while');
kill CONT => $postmaster, $receiver;
done_testing();
