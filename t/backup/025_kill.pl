# Processes killed in the middle of a dump: pg_dump, the runner, the launcher, by signals that let them clean up
# and by one that does not.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use PostgreSQL::Test::Utils qw(run_command);
use Test::More;

# A crash of the runner or the launcher restarts the server, by PostgreSQL's design.
my $node = MfiNode->bank('bank', conf => "restart_after_crash = on\n");

# pg_dump alone, then with its whole group, by the signal that it cannot catch and by the one it can.
for my $signal ('KILL', 'TERM', '-KILL')
{
	my ($session, $id) = $node->dump_held;
	my %children = $node->children;
	is(scalar keys %children, 1, "$signal of pg_dump: it runs");
	kill $signal, keys %children;
	$node->wait_state($id, 'failed');
	like($node->run($id, 'error'), $signal eq 'TERM' ? qr/^pg_dump failed with exit code/ : qr/^pg_dump failed with exit code 137/,
		"$signal of pg_dump: the record says how it ended");
	$session->quit;
	$node->recovers_ok("$signal of pg_dump");
}

# Somebody ends the sessions of a dump.
my ($session, $id) = $node->dump_held;
$node->sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'mfi backup %'");
$node->wait_state($id, 'failed');
like($node->run($id, 'error'), qr/terminating connection due to administrator command/, 'sessions terminated: the record says so');
$session->quit;
$node->recovers_ok('sessions terminated');

# The runner is told to end.
($session, $id) = $node->dump_held;
my $waiting = $node->backup('waits behind it');
$node->sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'mfi runner'");
$node->wait_state($id, 'failed');
like($node->run($id, 'error'), qr/^interrupted: the server is shutting down, or the run's process was terminated$/,
	'runner terminated: the record says so');
$node->wait_held($waiting);
$session->quit;
$node->wait_state($waiting, 'succeeded');
$node->recovers_ok('runner terminated');

# The launcher is told to end: it comes back, the run goes on, what waited is closed as interrupted.
($session, $id) = $node->dump_held;
$waiting = $node->backup('waits behind it');
$node->wait_state($waiting, 'queued');
my $launcher = $node->pid_of('mfi launcher');
$node->sql("SELECT pg_terminate_backend($launcher)");
$node->wait_sql("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'mfi launcher' AND pid <> $launcher)");
is($node->run($id, 'state'), 'dumping', 'launcher terminated: the run goes on');
like($node->run($waiting, 'state, error'), qr/^failed\|interrupted: /, 'launcher terminated: what waited is interrupted');
$session->quit;
$node->wait_state($id, 'succeeded');
$node->recovers_ok('launcher terminated');

# Killed: the server restarts, the children are gone, the record is closed by the next launcher.
for my $type ('mfi runner', 'mfi launcher', 'client backend')
{
	($session, $id) = $node->dump_held;
	my $pid = $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE backend_type = '$type' ORDER BY wait_event_type = 'Lock' DESC NULLS LAST LIMIT 1");
	kill 'KILL', $pid;
	$node->wait_until('the server restarts', sub { !MfiNode::command_of($pid) });
	$node->wait_until('the server is back',
		sub { run_command([ 'pg_isready', '-q', '-d', $node->connstr('postgres') ]); $? == 0 });
	$session->{run}->kill_kill;
	$node->wait_sql("SELECT finished_at IS NOT NULL FROM mfi_backups WHERE id = '$id'");
	like($node->run($id, 'state, error'), qr/^failed\|(interrupted: the process that ran it is gone|pg_dump failed .*server closed the connection)/s,
		"$type killed: the record says so");
	$node->recovers_ok("$type killed");
}
$node->stop;
done_testing();
