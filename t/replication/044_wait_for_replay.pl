# mfi_wait_for_replay: true only when the standby shows what was written, and no later than that; never for ever.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use IPC::Run ();
use MfiPair qw(pair catch_up);
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

my ($primary, $standby) = pair();
$primary->sql('CREATE EXTENSION dblink');
$primary->sql('CREATE TABLE written (id bigint)');
$primary->sql('CREATE TABLE load_rows AS SELECT 1 AS id, $$x$$ AS filler');
$primary->sql('CREATE ROLE plain LOGIN');
catch_up($primary, $standby);

my $insert_lsn = 'SELECT pg_current_wal_insert_lsn()';
my $future = "pg_last_wal_replay_lsn() + 200000";

sub paused
{
	my ($work) = @_;
	$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
	$standby->wait_sql("SELECT pg_get_wal_replay_pause_state() = 'paused'");
	$work->();
	$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()') if $standby->sql('SELECT pg_is_in_recovery()') eq 't';
	return;
}

# A session of the standby that waits for LSN; see `waiting` and `answer`.
sub waiter
{
	my ($lsn, $timeout) = @_;
	my $session = $standby->background_psql('mfi_banking', on_error_stop => 0);
	$session->{pid} = $session->query_safe('SELECT pg_backend_pid()');
	$session->query_until(qr/asked/, "\\echo asked\nSELECT mfi_wait_for_replay('$lsn', '$timeout') AS reached;\n");
	$standby->wait_sql("SELECT wait_event_type = 'Extension' FROM pg_stat_activity WHERE pid = $session->{pid}");
	return $session;
}

sub answer
{
	my ($session) = @_;
	my $out = $session->query('SELECT $$over$$');
	$session->quit;
	return $out . $session->{stderr};
}

# What is there is there.
is($primary->sql("SELECT mfi_wait_for_replay(pg_current_wal_insert_lsn(), '0')"), 't', 'a primary has what it has written');
is($primary->sql("SELECT mfi_wait_for_replay(pg_current_wal_insert_lsn() + 1000000, '1 day')"), 'f', 'and nothing beyond, and says so at once');
is($standby->sql("SELECT mfi_wait_for_replay(pg_last_wal_replay_lsn(), '0')"), 't', 'a standby has what it has replayed');
is($standby->safe_psql('mfi_banking', "SELECT mfi_wait_for_replay(pg_last_wal_replay_lsn(), '1 s')", extra_params => [ '-U', 'plain' ]),
	't', 'applications may ask it');

# Bad input.
like($standby->error("SELECT mfi_wait_for_replay(NULL, '1 s')"), qr/needs an lsn.*pg_current_wal_insert_lsn/s, 'no lsn');
like($standby->error("SELECT mfi_wait_for_replay('0/1', NULL)"), qr/needs a timeout/, 'no timeout');
like($standby->error("SELECT mfi_wait_for_replay('0/1', '-1 ms')"), qr/must not be negative/, 'a negative timeout');
like($standby->error("SELECT mfi_wait_for_replay('x', '1 s')"), qr/invalid input syntax for type pg_lsn/, 'no LSN at all');
like($standby->error("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT mfi_wait_for_replay('0/1', '1 s')"),
	qr/of no use in a transaction that keeps its snapshot.*Call it before BEGIN/s, 'in a transaction that would not see it');
is($standby->sql("SET default_transaction_isolation = 'repeatable read'; SELECT mfi_wait_for_replay('0/1', '1 s')"), 't', 'but on its own it may');

# The timeout.
for my $distance (200_000, 100_000_000)
{
	my $began = time;
	is($standby->sql("SELECT mfi_wait_for_replay(pg_last_wal_replay_lsn() + $distance, '300 ms')"), 'f', "nothing comes: false (distance $distance)");
	my $took = time - $began;
	ok($took >= 0.3 && $took < 5, "at the timeout ($took s)");
}
is($standby->sql("SELECT mfi_wait_for_replay($future, '0')"), 'f', 'a timeout of 0 only asks');

# Waiting costs next to nothing. Clock ticks of user and system time are fields 14 and 15.
sub cpu_seconds
{
	my ($pid) = @_;
	my @fields = split / /, PostgreSQL::Test::Utils::slurp_file("/proc/$pid/stat");
	return ($fields[13] + $fields[14]) / POSIX::sysconf(&POSIX::_SC_CLK_TCK);
}
for my $distance (200_000, 1_000_000_000)
{
	my $session = $standby->background_psql('mfi_banking');
	my $pid = $session->query_safe('SELECT pg_backend_pid()');
	$session->query_safe("SELECT mfi_wait_for_replay($future, '0')");
	my $before = cpu_seconds($pid);
	$session->query_safe("SELECT mfi_wait_for_replay(pg_last_wal_replay_lsn() + $distance, '1 s')");
	cmp_ok(cpu_seconds($pid) - $before, '<=', 0.05, "CPU of waiting a second (distance $distance)");
	$session->quit;
}

# It ends when the record is replayed, not earlier, and when it is interrupted.
paused(
	sub {
		$primary->sql('INSERT INTO written VALUES (0)');
		my $lsn = $primary->sql($insert_lsn);
		is($standby->sql("SELECT mfi_wait_for_replay('$lsn', '200 ms'), EXISTS (SELECT FROM written)"), 'f|f', 'while replay is paused: false');
		my $cancelled = waiter($lsn, '1 day');
		$standby->sql("SELECT pg_cancel_backend($cancelled->{pid})");
		like(answer($cancelled), qr/canceling statement due to user request/, 'cancelled');
		like($standby->error("SET statement_timeout = '100 ms'; SELECT mfi_wait_for_replay('$lsn', 'infinity')"),
			qr/canceling statement due to statement timeout/, 'statement_timeout holds');
		my $waits = waiter($lsn, '1 day');
		$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
		like(answer($waits), qr/^t$/m, 'replayed: true');
	});

# A position in the header of a page that holds nothing else yet is reached with the end of the page before.
my $in_header;
$primary->wait_until('the next segment is empty',
	sub {
		$in_header = $primary->sql("SELECT pg_switch_wal() \\g /dev/null\n$insert_lsn");
		return $primary->sql("SELECT ('$in_header'::pg_lsn - '0/0') % 16777216") eq '40';
	});
is($standby->sql("SELECT mfi_wait_for_replay('$in_header', '1 min')"), 't', 'a position in a page header');

# No false true: write, wait, read, again and again under load, with asynchronous commits among them.
my $loops = $ENV{MFI_LONG} ? 100_000 : 2_000;
my $script = PostgreSQL::Test::Utils::tempdir . '/load.sql';
PostgreSQL::Test::Utils::append_to_file($script, "INSERT INTO load_rows SELECT i, repeat('x', 200) FROM generate_series(1, 50) i;\n");
local %ENV = $primary->_get_env;
my $load = IPC::Run::start([ 'pgbench', '-n', '-c', '1', '-R', '200', '-T', '36000', '-f', $script, 'mfi_banking' ],
	'<', \'', '>', \my $load_out, '2>', \my $load_err);
my $connection = $primary->connstr('mfi_banking');
for my $commit ('on', 'off')
{
	my $rounds = $commit eq 'on' ? $loops : int($loops / 200);
	my ($status, $out, $err) = $standby->psql('mfi_banking', <<"SQL");
DO \$\$
DECLARE
  upto pg_lsn;
  unseen int := 0;
BEGIN
  PERFORM dblink_connect('primary', \$q\$$connection\$q\$);
  PERFORM dblink_exec('primary', 'SET synchronous_commit = $commit');
  FOR i IN 1 .. $rounds LOOP
    PERFORM dblink_exec('primary', 'INSERT INTO written VALUES (' || i || ')');
    SELECT * INTO upto FROM dblink('primary', 'SELECT pg_current_wal_insert_lsn()') AS (lsn pg_lsn);
    IF pg_last_wal_replay_lsn() < upto THEN unseen := unseen + 1; END IF;
    IF NOT mfi_wait_for_replay(upto, '1 min') THEN RAISE EXCEPTION 'row % did not come', i; END IF;
    IF NOT EXISTS (SELECT FROM written WHERE id = i) THEN RAISE EXCEPTION 'false true at row %', i; END IF;
    IF i % 100 = 0 THEN PERFORM dblink_exec('primary', 'DELETE FROM written'); END IF;
  END LOOP;
  RAISE NOTICE 'waited % times', unseen;
END \$\$
SQL
	is($status, 0, "write, wait, read: $rounds rounds, synchronous_commit = $commit") or diag($err);
	my ($waited) = $err =~ /waited (\d+) times/;
	cmp_ok($waited // 0, '>', 0, 'of which some had to wait');
	note("waited $waited times of $rounds");
	$primary->sql('DELETE FROM written');
}
$load->signal('TERM');
$load->finish;
catch_up($primary, $standby);

# Promoted while waiting: what was not replayed will never be.
paused(
	sub {
		$primary->sql("SELECT pg_logical_emit_message(false, '', 'x')");
		my $near = waiter($primary->sql($insert_lsn), '1 day');
		my $far = waiter('FFFF/0', '1 day');
		$primary->stop('immediate');
		$standby->promote;
		like(answer($near), qr/^[tf]$/m, 'promoted while waiting: an answer');
		like(answer($far), qr/^f$/m, 'false, as it was never replayed');
	});
is($standby->sql("SELECT mfi_wait_for_replay(pg_current_wal_insert_lsn(), '0')"), 't', 'after which it is a primary');
$standby->stop;
done_testing();
