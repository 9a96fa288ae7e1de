# What a proven backup holds is what was there at some moment between its start and its snapshot: whatever is not safe for an older
# snapshot (rewrites, TRUNCATE, renames, DROP and CREATE) comes before the locks, or waits for their end.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use MfiShim qw(install_with replace while_there);
use Test::More;

my $path = install_with();
my $node = MfiNode->bank('bank', install_path => $path, conf => "mfi.backup_verify = 'restore'\nmfi.backup_jobs = 1\n");
$node->sql('CREATE TABLE loan (id int); INSERT INTO loan SELECT generate_series(1, 5000); CREATE TABLE other AS SELECT 1 AS a');

# The newest set: its result, and rows of a table as the manifest has them.
sub rows_of { return $node->sql("SELECT coalesce((SELECT t.rows FROM _mfi_backup_tables((SELECT id FROM mfi_backups WHERE state = 'succeeded' ORDER BY queued_at DESC LIMIT 1)) t WHERE t.name = '$_[0]'), -1)") }
sub result { return $node->sql(q{SELECT state || ' ' || coalesce(verify_result, 'NULL') || ' ' || coalesce(error, '') FROM mfi_backups ORDER BY queued_at DESC LIMIT 1}) }

# Begun before the locks: the backup waits for its end, and sees what it left.
my %commands = (
	'ALTER TYPE' => 'ALTER TABLE loan ALTER id TYPE bigint',
	'a volatile default' => 'ALTER TABLE loan ADD COLUMN r float8 DEFAULT random()',
	'SET UNLOGGED' => 'ALTER TABLE loan SET UNLOGGED',
	'SET LOGGED' => 'ALTER TABLE loan SET LOGGED',
	'TRUNCATE and reload' => 'TRUNCATE loan; INSERT INTO loan SELECT generate_series(1, 5000)',
	'DROP and CREATE' => 'DROP TABLE loan; CREATE TABLE loan AS SELECT generate_series(1, 5000) AS id',
	'a swap by renames' => 'CREATE TABLE fresh AS TABLE loan; ALTER TABLE loan RENAME TO stale; ALTER TABLE fresh RENAME TO loan; DROP TABLE stale',
	'SET SCHEMA' => 'CREATE SCHEMA elsewhere; ALTER TABLE loan SET SCHEMA elsewhere; ALTER TABLE elsewhere.loan SET SCHEMA public; DROP SCHEMA elsewhere');
for my $name (sort keys %commands)
{
	for my $end ('ROLLBACK', 'COMMIT')
	{
		my $session = $node->background_psql('mfi_banking');
		$session->query_safe("BEGIN; $commands{$name};");
		my $id = $node->backup($name);
		$node->wait_sql("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = left('mfi backup $id', 63) AND wait_event_type = 'Lock')");
		$session->query_safe("$end;");
		$session->quit;
		$node->wait_sql("SELECT finished_at IS NOT NULL FROM mfi_backups WHERE id = '$id'");
		is(result(), 'succeeded ok ', "$name, $end: proven");
		is(rows_of('public.loan'), '5000', "$name, $end: with its rows");
	}
}

# The dump stands still where the test says, for as long as `gate` is there.
my $gate = $node->basedir . '/gate';
sub close_gate { open(my $file, '>', $gate) or die $!; close $file; return }
my $stands = 'case "$*" in *--snapshot*)';
sub begin_run
{
	unlink "$gate.reached";
	close_gate();
	my $id = $node->backup('gate');
	$node->wait_until('the dump stands still', sub { -e "$gate.reached" });
	unlink "$gate.reached";
	return $id;
}
sub statement
{
	my ($sql) = @_;
	my $session = $node->background_psql('mfi_banking');
	$session->query_until(qr/sent/, "\\echo sent\n$sql;\n");
	return $session;
}
sub waits { return $node->wait_sql("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '$_[0]%' AND wait_event_type = 'Lock')") }

# A statement that comes to wait for us before the dump has its locks would hold the dump up behind itself, and no deadlock would be seen. The
# backup gives way, and is made afterwards.
replace($path, 'pg_dump', "$stands : >$gate.reached; " . while_there($gate) . ' ;; esac; real "$@"');
my $id = begin_run();
my $session = statement('ALTER TABLE loan ALTER id TYPE numeric');
waits('ALTER TABLE loan');
unlink $gate;
$node->wait_sql("SELECT atttypid = 'numeric'::regtype FROM pg_attribute WHERE attrelid = 'loan'::regclass AND attname = 'id'");
isnt($node->sql("SELECT state FROM mfi_backups WHERE id = '$id'"), 'succeeded', 'the statement is done before the backup is');
$session->quit;
$node->wait_sql("SELECT finished_at IS NOT NULL FROM mfi_backups WHERE id = '$id'");
is(result(), 'succeeded ok ', 'the backup is made after it');
is(rows_of('public.loan'), '5000', 'with its rows');

# After the dump's end, while rows are read: what would take them away waits for the backup.
replace($path, 'pg_dump', "$stands real \"\$@\"; : >$gate.reached; " . while_there($gate) . ' ;; *) real "$@" ;; esac');
for my $command ('DROP TABLE other', 'BEGIN; ALTER TABLE loan RENAME TO stale; CREATE TABLE loan (id int); COMMIT')
{
	$id = begin_run();
	$session = statement($command);
	waits($command =~ /^BEGIN; (.*?);/ ? $1 : $command);
	unlink $gate;
	$node->wait_sql("SELECT finished_at IS NOT NULL FROM mfi_backups WHERE id = '$id'");
	is(result(), 'succeeded ok ', "$command: proven");
	is(rows_of('public.loan'), '5000', "$command: with the rows of before");
	is(rows_of('public.other'), '1', 'all of them') if $command =~ /other/;
	$session->quit;
}
replace($path, 'pg_dump', undef);

# A lock that is never given back: the error names the table and who holds it.
$node->set('mfi.backup_lock_timeout' => "'1s'");
my $held = $node->background_psql('mfi_banking');
$held->query_safe('BEGIN; LOCK TABLE stale IN ACCESS EXCLUSIVE MODE');
like($node->error('SELECT mfi_backup_now(wait => true)'), qr/table public.stale could not be locked within 1 s: process \d+ of role postgres holds it since/s, 'a lock that is held: the table and its holder');
$held->quit;
$node->stop;

# A lock for each table: where the server has no room for them, others' queries would fail first.
my $small = MfiNode->bank('small', conf => "max_connections = 20\nmax_locks_per_transaction = 20\nmfi.backup_verify = 'restore'\n");
$small->sql("SELECT format('CREATE TABLE t%s (id int)', i) FROM generate_series(1, 400) i \\gexec");
my $half = $small->backup_ok;
is($small->run($half, 'state, verify_result'), 'succeeded|ok', 'more than half of the lock table: proven');
like($small->run($half, 'error'), qr/the backup locks \d+ tables, and the server has room for about \d+ locks .*set max_locks_per_transaction to \d+ or more/, 'with a remark');
$small->sql("SELECT format('CREATE TABLE u%s (id int)', i) FROM generate_series(1, 350) i \\gexec");
like($small->error('SELECT mfi_backup_now(wait => true)'), qr/the backup locks \d+ tables.*ALTER SYSTEM SET max_locks_per_transaction = (\d+)/s, 'too many: said before anything is locked');
my ($enough) = $small->run($small->sql('SELECT id FROM mfi_backups ORDER BY queued_at DESC LIMIT 1'), 'error') =~ /max_locks_per_transaction = (\d+)/;
$small->append_conf('postgresql.conf', "max_locks_per_transaction = $enough");
$small->restart;
$small->launcher_ready;
is($small->run($small->backup_ok, 'verify_result, error'), 'ok|', 'with what it asks for: proven');
$small->stop;
done_testing();
