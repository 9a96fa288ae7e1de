# A run that ends while its set is being published, by every cause; and a server that stops although its synchronous
# standby is dead.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use MfiShim qw(install_with replace);
use PostgreSQL::Test::Utils qw(slurp_dir);
use Test::More;

my $path = install_with();
my $node = MfiNode->bank('bank', install_path => $path, conf => "restart_after_crash = on\n");

# Publishing takes as long as the archive takes to be hashed: a hole at its end makes it long and costs no disk.
my $slow = q{real "$@"; for a in "$@"; do case "$a" in --file=*) truncate -s +40G "${a#--file=}" ;; esac; done};
my $fast = sub { replace($path, 'pg_dump', undef) };
my $publishing = sub {
	replace($path, 'pg_dump', $slow);
	my $id = $node->backup;
	$node->wait_state($id, 'publishing');
	$fast->();
	return $id;
};
my $ended = sub {
	my ($name, $id, $expected) = @_;
	$node->launcher_ready;
	$node->wait_sql("SELECT state NOT IN ('queued', 'publishing') FROM mfi_backups WHERE id = '$id'");
	like($node->run($id, 'state, path, error'), $expected, "$name: truthful record, no set");
	$node->recovers_ok($name);
};

my $id = $publishing->();
is($node->sql("SELECT mfi_backup_cancel('$id')"), 't', 'cancel while publishing');
$ended->('cancel', $id, qr/^cancelled\|\|cancelled by mfi_backup_cancel$/);

$id = $publishing->();
kill 'TERM', $node->pid_of('mfi runner');
$ended->('runner terminated', $id, qr/^failed\|\|interrupted: the server is shutting down, or/);

$id = $publishing->();
kill 'KILL', $node->pid_of('mfi runner');
$node->wait_until('the server is back', sub { $node->psql('postgres', 'SELECT 1') == 0 });
$ended->('runner killed', $id, qr/^failed\|\|interrupted: the process that ran it is gone/);

for my $mode ('fast', 'immediate')
{
	$id = $publishing->();
	my $begin = time;
	$node->stop($mode);
	cmp_ok(time - $begin, '<', 15, "$mode shutdown takes seconds");
	$node->start;
	$ended->("$mode shutdown", $id, qr/^failed\|\|interrupted: /);
}

# Nothing that mfi does waits for a synchronous standby.
$node->set(synchronous_standby_names => "'nobody'");
$id = $node->backup_ok;
is($node->run($id, 'state'), 'succeeded', 'a dead synchronous standby: backups go on');
my ($session, $held) = $node->dump_held;
my $begin = time;
$node->stop('fast');
cmp_ok(time - $begin, '<', 15, 'a dead synchronous standby: a fast shutdown while dumping takes seconds');
$session->{run}->kill_kill;
$node->start;
like($node->run($held, 'state, error'), qr/^failed\|interrupted/, 'and the record is closed');
$node->recovers_ok('synchronous standby dead');

# The clock of the schedule changes under a waiting launcher.
$node->set('mfi.backup_schedule' => "'0 2 * * *'");
for my $zone ('Africa/Kigali', 'Asia/Kolkata', 'UTC')
{
	$node->set('mfi.backup_timezone' => "'$zone'");
	$node->wait_sql('SELECT next_run = (SELECT run_at FROM mfi_backup_next_runs(1)) FROM mfi_backup_health');
	is($node->sql("SELECT to_char(next_run AT TIME ZONE '$zone', 'HH24:MI') FROM mfi_backup_health"), '02:00', "$zone: the next run follows the zone");
}
$node->stop;
done_testing();
