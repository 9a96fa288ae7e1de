# Servers that speak another language than English: nothing that comes of a backup depends on their words.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiLanguage;
use MfiNode;
use MfiPair qw(pair catch_up);
use MfiShim qw(install_with replace while_there);
use PostgreSQL::Test::Utils qw(append_to_file slurp_file);
use Test::More;

my $path = install_with();
my $language = MfiLanguage->new;
my $held = "$path/hold";
replace($path, 'pg_dump', qq([ "\$1" = --version ] || { @{[ while_there($held) ]}; }\nreal "\$@"));
my ($primary, $standby) = pair(install_path => $path, conf => "mfi.backup_verify = 'restore'\n");
$primary->sql(q{CREATE ROLE dumper LOGIN IN ROLE pg_read_all_data, pg_monitor; CREATE TABLE loan AS SELECT i FROM generate_series(1, 1000) i});
catch_up($primary, $standby);
$standby->stop;
$primary->stop;
$language->start($primary);
$language->start($standby);
$primary->wait_sql("SELECT state = 'streaming' FROM pg_stat_replication");
my $where = $standby->host . '-' . $standby->port;
my $super = $primary->safe_psql('postgres', 'SELECT current_user');

for my $role ($super, 'dumper')
{
	my $who = $role eq $super ? 'a superuser' : 'a role without SUPERUSER';
	$primary->set('mfi.backup_source' => "'standby'", 'mfi.backup_source_conninfo' => "'host=@{[ $standby->host ]} port=@{[ $standby->port ]} user=$role'");
	$primary->wait_sql("SELECT active FROM pg_replication_slots");
	my $id = $primary->backup;
	$primary->wait_sql("SELECT finished_at IS NOT NULL FROM mfi_backups WHERE id = '$id'");
	is($primary->run($id, 'state, verify_result, source_node, error'), "succeeded|ok|$where|", "$who dumps the standby");

	# Rows vanish under the dump, which is cancelled and begun again.
	$standby->set(hot_standby_feedback => 'off', max_standby_streaming_delay => '0');
	$primary->wait_sql('SELECT bool_and(xmin IS NULL) FROM pg_replication_slots');
	append_to_file($held, '');
	$id = $primary->backup;
	my $holder = "FROM pg_stat_activity WHERE application_name = 'mfi backup $id' AND backend_xmin IS NOT NULL AND state = 'idle in transaction'";
	$standby->wait_sql("SELECT EXISTS (SELECT $holder)");
	my $pid = $standby->sql("SELECT pid $holder");
	$primary->sql($_) for 'UPDATE loan SET i = i + 1', 'VACUUM loan', 'SELECT pg_switch_wal()';
	$standby->wait_sql("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $pid)");
	unlink $held or die $!;
	$primary->wait_sql("SELECT finished_at IS NOT NULL FROM mfi_backups WHERE id = '$id'");
	like($primary->run($id, 'state, verify_result, source_node, error'), qr/^succeeded\|ok\|\Q$where\E\|.*begun again after a recovery conflict/, "$who: a recovery conflict is one");
	$standby->set(hot_standby_feedback => 'on', max_standby_streaming_delay => '30000');
	$primary->wait_sql('SELECT bool_and(xmin IS NOT NULL) FROM pg_replication_slots');
}
$standby->stop;
$primary->set('mfi.backup_source' => "'primary'");

# Who may not log in is told what to do.
my $hba = slurp_file($primary->data_dir . '/pg_hba.conf');
for my $method ('reject', 'scram-sha-256', 'peer map=nobody')
{
	my $session = $primary->background_psql('mfi_banking', on_error_stop => 0);
	unlink $primary->data_dir . '/pg_hba.conf' or die $!;
	append_to_file($primary->data_dir . '/pg_hba.conf', "local all $super $method\n$hba");
	$primary->reload;
	$session->query('SELECT pg_sleep(0.01)') until $session->query('SELECT auth_method = $$' . (split / /, $method)[0] . '$$ FROM pg_hba_file_rules LIMIT 1') eq 't';
	$session->query('SELECT mfi_backup_now(wait => true)');
	my $error = $session->query('SELECT error FROM mfi_backups ORDER BY queued_at DESC, id DESC LIMIT 1');
	like($error, qr/could not log in.*pg_hba\.conf must begin with the line "local all $super peer"/s, "$method: the way out");
	unlink $primary->data_dir . '/pg_hba.conf' or die $!;
	append_to_file($primary->data_dir . '/pg_hba.conf', $hba);
	$session->query('SELECT pg_reload_conf()');
	$session->quit;
	$primary->poll_query_until('postgres', 'SELECT true') or die;
}
$primary->recovers_ok('after it all');
$primary->stop;
done_testing();
