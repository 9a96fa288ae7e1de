# Cancel of a run in each state, time limits, and requests while a run goes on.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use Test::More;

my $node = MfiNode->bank('bank');

# One running, three queued: the queued ones are cancelled in one statement, then the running one.
my ($session, $running) = $node->dump_held;
my @queued = map { $node->backup("queued $_") } 1 .. 3;
is($node->sql("SELECT mfi_backup_cancel('$queued[0]'), mfi_backup_cancel('$queued[2]')"), 't|t', 'cancel of queued runs');
$node->wait_state($queued[$_], 'cancelled') for 0, 2;
is($node->run($queued[0], 'error, started_at'), 'cancelled by mfi_backup_cancel before it began|', 'its record');
is($node->run($queued[1], 'state'), 'queued', 'the one between them waits on');
is($node->sql("SELECT mfi_backup_cancel('$running')"), 't', 'cancel of a running run');
$node->wait_state($running, 'cancelled');
is($node->run($running, 'error, finished_at >= started_at'), 'cancelled by mfi_backup_cancel|t', 'its record');
$node->wait_held($queued[1]);
$session->quit;
$node->wait_state($queued[1], 'succeeded');
like($node->error("SELECT mfi_backup_cancel('$queued[1]')"), qr/backup $queued[1] is over: succeeded/, 'cancel of what is over');
like($node->error("SELECT mfi_backup_cancel('mfi_banking_20200101T000000Z')"),
	qr/there is no backup run "mfi_banking_20200101T000000Z".*HINT:  SELECT id, state FROM mfi_backups/s, 'cancel of an unknown id');
like($node->error(q{SELECT mfi_backup_cancel(E'../../x\n')}), qr/there is no backup run/, 'cancel of what is no id');
$node->recovers_ok('cancelled');

# At once: the request may not have reached the launcher yet.
$session = $node->hold_view;
my $at_once = $node->sql('SELECT id FROM mfi_backup_now() AS id WHERE mfi_backup_cancel(id)');
$node->wait_state($at_once, 'cancelled');
$session->quit;

# Who waits for a run that is cancelled gets an error; who cancels the waiting does not cancel the run.
$session = $node->hold_view;
my $waiter = $node->background_psql($node->database, on_error_stop => 0);
$waiter->query_until(qr/begun/, "\\echo begun\nSELECT mfi_backup_now(wait => true);\n");
$node->wait_sql("SELECT count(*) = 1 FROM mfi_backups WHERE state = 'dumping'");
my $waited = $node->sql("SELECT id FROM mfi_backups WHERE state = 'dumping'");
$node->sql("SELECT mfi_backup_cancel('$waited')");
$waiter->query('SELECT 1');
like($waiter->{stderr}, qr/backup $waited failed: cancelled by mfi_backup_cancel/, 'its caller gets an error');
$waiter->{stderr} = '';
$waiter->query_until(qr/begun/, "\\echo begun\nSELECT mfi_backup_now(wait => true);\n");
$node->wait_sql("SELECT count(*) = 1 FROM mfi_backups WHERE state = 'dumping'");
my $goes_on = $node->sql("SELECT id FROM mfi_backups WHERE state = 'dumping'");
$node->sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT mfi_backup_now(wait%' AND state = 'active'");
$waiter->query('SELECT 1');
like($waiter->{stderr}, qr/canceling statement due to user request/, 'a cancelled caller');
$waiter->quit;
$session->quit;
$node->wait_state($goes_on, 'succeeded');
$node->recovers_ok('callers');

# Limits of time.
$session = $node->background_psql('mfi_banking');
$session->query_safe('BEGIN; LOCK TABLE portals IN ACCESS EXCLUSIVE MODE;');
$node->set('mfi.backup_lock_timeout' => '300');
my $locked = $node->backup;
$node->wait_state($locked, 'failed');
like($node->run($locked, 'error'), qr/table public.portals could not be locked within 300 ms: process \d+ of role \w+ holds it since/, 'mfi.backup_lock_timeout');
$node->set('mfi.backup_lock_timeout' => q('1min'), 'mfi.backup_timeout' => q('1s'));
my $slow = $node->backup;
$node->wait_state($slow, 'failed');
like($node->run($slow, 'error'), qr/stopped: it took longer than mfi.backup_timeout \(1 s\) \(Raise/, 'mfi.backup_timeout');
like($node->sql('SELECT reasons FROM mfi_backup_health'), qr/last-backup-failed: $slow failed: stopped/, 'and the verdict says so');
$session->quit;
$node->set('mfi.backup_timeout' => q('1h'));
$node->recovers_ok('time limits');
unlike($node->sql('SELECT reasons FROM mfi_backup_health'), qr/last-backup-failed/, 'the verdict forgets after a success');

# Two callers at the same moment: two ids, one run after the other.
my @callers = map { $node->background_psql($node->database) } 1 .. 2;
$_->{stdin} .= "SELECT mfi_backup_now(wait => true);\n" for @callers;
$_->{run}->pump_nb for @callers;
my @ids = map { $_->query('SELECT 1') =~ /^(mfi_banking_\S+)/ ? $1 : 'none' } @callers;
isnt($ids[0], $ids[1], 'two callers: two ids');
is($node->sql("SELECT bool_and(state = 'succeeded'), max(started_at) >= min(finished_at) FROM mfi_backups WHERE id IN ('$ids[0]', '$ids[1]')"),
	't|t', 'two callers: one after the other');
$_->quit for @callers;
$node->recovers_ok('two callers');

# A handful may wait: whoever asks more is told so at once, and each that was taken comes to its end.
my $verified = $node->backup_ok;
($session, my $held) = $node->dump_held;
my @taken = map { $node->backup("waiting $_") } 1 .. 5;
my $begin = time;
for my $ask ('SELECT mfi_backup_now()', 'SELECT mfi_backup_now(wait => true)', "SELECT mfi_backup_verify('$verified')")
{
	like($node->error($ask), qr/ERROR:  5 backups or verifications are waiting already.*HINT:  Wait for them, or cancel one/s, "too many: $ask");
}
is($node->sql(q{DO $$BEGIN FOR i IN 1 .. 500 LOOP BEGIN PERFORM mfi_backup_now(); RAISE 'taken'; EXCEPTION WHEN configuration_limit_exceeded THEN NULL; END; END LOOP; END$$}), '', 'five hundred more');
is($node->sql("SELECT count(*) FROM mfi_backups WHERE state IN ('queued', 'dumping')"), '6', 'none of them has left a record');
$node->sql("SELECT mfi_backup_cancel('$taken[4]')");
$node->wait_state($taken[4], 'cancelled');
$node->wait_until('room for one more', sub { ($node->psql($node->database, 'SELECT mfi_backup_now()'))[0] == 0 });
$session->quit;
$node->wait_state($_, 'succeeded') for $held, @taken[0 .. 3];
$node->recovers_ok('a full queue');
$node->stop;
done_testing();
