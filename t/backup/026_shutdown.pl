# The server stops in the middle of a dump: fast in seconds and with a closed record, immediately with the
# record closed by the next start.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use PostgreSQL::Test::Utils qw(slurp_dir slurp_file);
use Test::More;
use Time::HiRes qw(time);

my $node = MfiNode->bank('bank');

sub record
{
	my ($id) = @_;
	return slurp_file($node->backups . "/.runs/$id.json");
}

# Fast: well below the minute after which pg_ctl gives up, with one run going on and one waiting.
my ($session, $id) = $node->dump_held;
my $waiting = $node->backup('waits behind it');
$node->wait_state($waiting, 'queued');
my $began = time;
$node->stop('fast');
cmp_ok(time - $began, '<', 15, 'fast shutdown takes seconds');
my %children = $node->children;
is(join(' ', %children), '', 'and leaves no process');
like(record($id), qr/"error": "interrupted: the server is shutting down.*"state": "failed"/s, 'the record is closed');
is(join(' ', grep { /partial/ } slurp_dir($node->backups)), '', 'nothing half done is left');
$session->{run}->kill_kill;
$node->start;
$node->recovers_ok('fast shutdown');
like($node->run($waiting, 'state, error'), qr/^failed\|interrupted: /, 'what waited is interrupted');

# The postmaster tells one process after the other: pg_dump's session may end, and pg_dump with it, long before the run
# hears of it.
($session, $id) = $node->dump_held;
my ($postmaster) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
my $backend = $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE application_name = left('mfi backup $id', 63) AND wait_event_type = 'Lock'");
kill STOP => $postmaster;
kill TERM => $backend;
$node->wait_until('pg_dump is gone', sub { my %left = $node->children; !%left });
kill INT => $postmaster;
kill CONT => $postmaster;
$node->stop('fast', fail_ok => 1);
like(record($id), qr/"error": "interrupted: the server is shutting down.*"state": "failed"/s, 'told late: interrupted all the same');
$session->{run}->kill_kill;
$node->start;
$node->recovers_ok('told late');

# Immediate: no process gets a word in; the next start tells.
($session, $id) = $node->dump_held;
$node->stop('immediate');
$session->{run}->kill_kill;
$node->wait_until('the children are gone', sub { my %left = $node->children; !%left });
like(record($id), qr/"state": "dumping"/, 'immediate shutdown: the record stays as it was');
ok((grep { /^\.partial-/ } slurp_dir($node->backups)), 'and so does the half set, under a hidden name');
$node->start;
$node->recovers_ok('immediate shutdown');
like($node->run($id, 'state, error, finished_at >= started_at'),
	qr/^failed\|interrupted: the process that ran it is gone.*\|t$/, 'the next start closes the record');

# The postmaster alone is killed: its children notice.
($session, $id) = $node->dump_held;
my @processes = split /\n/, $node->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity');
push @processes, slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
$node->kill9;
$session->{run}->kill_kill;
$node->wait_until('the children are gone', sub { my %left = $node->children; !%left });
$node->wait_until('the processes are gone', sub { !grep { -d "/proc/$_" } @processes });
$node->start;
$node->recovers_ok('postmaster killed');
like($node->run($id, 'state, error'), qr/^failed\|interrupted: /, 'postmaster killed: interrupted');

# Smart: waits for sessions, not for mfi; a session that has nothing to do with the dump may end it.
($session, $id) = $node->dump_held;
$began = time;
$session->quit;
$node->wait_state($id, 'succeeded');
$node->stop('smart');
cmp_ok(time - $began, '<', 15, 'smart shutdown of an idle server takes seconds');
$node->start;
$node->recovers_ok('smart shutdown');
$node->stop;
done_testing();
