# A failover by mfi promote and mfi rejoin, there and back: no acknowledged row is lost, two primaries are named on both
# nodes, a diverged standby is no standby, and each of them refuses what would do harm.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use IPC::Run ();
use MfiNode;
use MfiPair qw(pair catch_up verdict);
use MfiCommand qw(does_ok refuses command);
use PostgreSQL::Test::Utils qw(append_to_file slurp_dir slurp_file);
use Test::More;
use Time::HiRes qw(time);

# By TCP, where nobody listens once a server is down; a socket that is not there would show nothing.
my ($one, $two) = pair(conf => "wal_log_hints = on\nwal_keep_size = '256MB'\nlisten_addresses = '127.0.0.1'\n");
my @promote = ('--within', '0.5');

sub both
{
	my ($what, $one_says, $two_says) = @_;
	my $began = time;
	$one->wait_sql("SELECT verdict || reasons::text ~ '$one_says' FROM mfi_replication_health");
	$two->wait_sql("SELECT verdict || reasons::text ~ '$two_says' FROM mfi_replication_health");
	note("$what after " . (time - $began) . ' s');
	pass("$what: both nodes say so");
	return time - $began;
}

# The words after `mfi` of a line that docs/replication.md has.
sub words_of_the_page
{
	my ($line) = @_;
	like(slurp_file("$FindBin::RealBin/../../docs/replication.md"), qr/^\Q$line\E(?: |$)/m, "docs/replication.md: $line");
	my (undef, @words) = $line =~ /('[^']*'|\S+)/g;
	return @words;
}

sub rejoined
{
	my ($primary, $standby, $what) = @_;
	$standby->_update_pid(1);
	$standby->launcher_ready;
	both($what, '^ok', '^ok');
	$primary->sql("INSERT INTO ledger VALUES (DEFAULT, '$what')");
	catch_up($primary, $standby);
	is($standby->sql("SELECT count(*) FROM ledger WHERE note = '$what'"), '1', "$what: it streams");
	return;
}

my ($to_one, $to_two) = map { "host=127.0.0.1 port=@{[ $_->port ]}" } $one, $two;
my ($peer_one, $peer_two) = map { $_->connstr } $one, $two;
$two->set('primary_conninfo' => "'$to_one application_name=db-replica'");
$one->wait_sql("SELECT state = 'streaming' AND client_addr = '127.0.0.1' FROM pg_stat_replication");
$one->append_conf('postgresql.conf', "mfi.peer_conninfo = '$peer_two'\n");
$two->append_conf('postgresql.conf', "mfi.peer_conninfo = '$peer_one'\n");
$_->reload for $one, $two;
like($one->error("ALTER SYSTEM SET mfi.peer_conninfo = 'host=x password=y'"), qr/may not hold a password.*passfile/s, 'no password in a setting');
$one->wait_sql("SELECT peer_role = 'standby' AND peer_seen_ago < '5 s' FROM mfi_replication_health");
$two->wait_sql("SELECT peer_role = 'primary' AND peer_timeline = 1 FROM mfi_replication_health");
both('each sees the other', '^ok', '^ok');
is($one->sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mfi probe'"), '1', 'by one connection that stays');

# Before: what must not be.
$one->sql('CREATE TABLE ledger (id bigserial PRIMARY KEY, note text)');
catch_up($one, $two);
refuses('mfi promote on a primary', 'is a primary already', $one, 'promote');
refuses('mfi promote while the old primary runs', 'the old primary still answers', $two, 'promote');
$two->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
refuses('mfi promote while replay is paused', 'replay is paused', $two, 'promote');
$two->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
refuses('mfi rejoin on a node that runs', 'runs', $one, 'rejoin', '-D', $one->data_dir, '-d', $to_two);

# The primary dies under load, with a synchronous standby: each row that was acknowledged is there after mfi promote.
$one->set('synchronous_standby_names' => "'*'");
$one->wait_sql("SELECT sync_state = 'sync' FROM pg_stat_replication");
my ($acknowledged, $errors) = ('', '');
my $load = PostgreSQL::Test::Utils::tempdir . '/load.sql';
append_to_file($load, "INSERT INTO ledger (note) VALUES ('load') RETURNING id;\n" x 100_000);
my @clients = map {
	IPC::Run::start([ 'psql', '-X', '-q', '-At', '-d', $one->connstr('mfi_banking'), '-f', $load ], '<', \'', '>>', \$acknowledged, '2>>', \$errors)
} 1 .. 2;
$one->wait_until('some rows are acknowledged', sub { $_->pump_nb for @clients; return length($acknowledged) > 500 });
$one->stop('immediate');
$_->finish for @clients;
my @ids = grep { /^\d+$/ } split /\n/, $acknowledged =~ s/[^\n]*\z//r;
cmp_ok(scalar @ids, '>', 50, scalar(@ids) . ' rows were acknowledged');
$two->wait_sql("SELECT verdict <> 'ok' AND reasons::text ~ 'upstream-lost' FROM mfi_replication_health");
my $said = does_ok('mfi promote', $two, words_of_the_page('mfi promote'), @promote);
like($said, qr/on timeline 2.*next:.*mfi rejoin/s, 'it says what is next');
is($two->sql('SELECT count(*) FROM ledger WHERE id = ANY ($$' . '{' . join(',', @ids) . '}' . '$$)'), scalar @ids, 'no acknowledged row is lost');
$two->sql("INSERT INTO ledger (note) VALUES ('after the failover')");
pass('writes go on');
is($two->run($two->backup_ok, 'state, source_role, timeline'), 'succeeded|primary|2', 'so do backups');
like(verdict($two), qr/standby-missing/, 'the other node is missed, by its slot');

# The old primary is started by mistake.
$one->start;
$one->sql("SET synchronous_commit = local; INSERT INTO ledger (note) VALUES ('given up')");
cmp_ok(both('two primaries', 'critical.*two-primaries: both nodes are primaries: this one on timeline 1, the other on timeline 2',
		'critical.*two-primaries: both nodes are primaries: this one on timeline 2, the other on timeline 1'), '<', 5, 'in time');
like($one->sql('SELECT next_steps[1] FROM mfi_replication_health'), qr/stop this one/, 'the older one is to be stopped');
is($one->sql("SELECT count(*) FROM ledger WHERE note = 'given up'"), '1', 'nothing is deleted');
refuses('mfi rejoin the wrong way round', 'runs', $two, 'rejoin', '-D', $two->data_dir, '-d', $to_one);
$one->stop;

# It comes back without having been rewound.
$one->append_conf('postgresql.conf', "primary_conninfo = '$to_two application_name=db-one'\nprimary_slot_name = 'mfi_rejoin'\n");
$one->set_standby_mode;
$one->start;
cmp_ok(both('a diverged standby', 'critical.*standby-diverged', 'critical.*standby-diverged: db-one is connected but cannot stream'), '<', 5, 'in time');
note($one->sql('SELECT summary, reasons FROM mfi_replication_status()'));
note($two->sql('SELECT summary, reasons FROM mfi_replication_status()'));
$one->stop;
unlink $one->data_dir . '/standby.signal';

# It rejoins.
my $foreign = MfiNode->bank('foreign', streaming => 1);
refuses('mfi rejoin to another cluster', 'different clusters', $one, 'rejoin', '-D', $one->data_dir, '-d', $foreign->connstr);
$foreign->set('mfi.silence_warning' => '1', 'mfi.peer_conninfo' => "'$peer_two'");
$foreign->wait_sql("SELECT verdict || reasons::text ~ 'warning.*peer-foreign: .* is another database cluster' FROM mfi_replication_health");
$foreign->set('mfi.peer_conninfo' => "'@{[ $foreign->connstr ]}'");
$foreign->wait_sql("SELECT verdict || reasons::text ~ 'warning.*peer-unreachable: .*it leads to this server itself' FROM mfi_replication_health");
$foreign->set('mfi.peer_conninfo' => "''");
$foreign->wait_sql("SELECT verdict = 'ok' AND peer_role IS NULL FROM mfi_replication_health");
pass('a peer of another cluster, a peer that is itself, and none');
$foreign->stop;
refuses('mfi rejoin to nobody', 'cannot be asked', $one, 'rejoin', '-D', $one->data_dir, '-d', $foreign->connstr);
my @rejoin = words_of_the_page("mfi rejoin -D /path/of/the/data -d 'host=the-new-primary user=postgres'");
my %in_place = ('/path/of/the/data' => $one->data_dir, "'host=the-new-primary user=postgres'" => $to_two);
$said = does_ok('mfi rejoin by pg_rewind', $one, (map { $in_place{$_} // $_ } @rejoin), '--name', 'db-one');
unlike($said, qr/cloning/, 'it did not need a clone');
rejoined($two, $one, 'rejoined by pg_rewind');
is($one->sql("SELECT count(*) FROM ledger WHERE note = 'given up'"), '0', 'what only the old primary had is given up');
is($one->sql('SHOW port'), $one->port, 'it kept its own configuration');
is($one->sql('SELECT count(*) FROM pg_replication_slots'), '0', 'and keeps no WAL for a slot it had as the primary');
is($two->sql('SELECT peer FROM mfi_replication_status()'), 'db-one', 'under the name it was given');
refuses('mfi rejoin of a node that did not diverge', 'runs', $one, 'rejoin', '-D', $one->data_dir, '-d', $to_two);

# And back the other way, by a switchover and a clone.
$two->stop;
does_ok('mfi promote on the first node', $one, 'promote', @promote);
refuses('mfi rejoin to one that was not promoted', 'cannot be asked|not promoted', $one, 'rejoin', '-D', $two->data_dir, '-d', $to_two);
does_ok('mfi rejoin by a clone', $two, 'rejoin', '-D', $two->data_dir, '-d', $to_one, '--clone');
rejoined($one, $two, 'rejoined by a clone');
is($one->sql('SELECT timeline FROM mfi_replication_health'), '3', 'on the third timeline');
is(scalar(grep { /^pgdata\.aside\./ } slurp_dir($two->basedir)), 1, 'the replaced data directory is kept');
is($two->sql('SELECT count(*) FROM ledger WHERE id = ANY ($$' . '{' . join(',', @ids) . '}' . '$$)'), scalar @ids, 'and every acknowledged row is still there');
$two->stop;
$one->stop;
done_testing();
