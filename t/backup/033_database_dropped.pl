# The database and the extension come and go under a running launcher.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiListing qw(listing);
use MfiNode;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;
use Time::HiRes qw(time);

my $node = MfiNode->prepared('bank', conf => "mfi.backup_on_start = on\n");
$node->start;

# From another database: one without the extension's objects still tells what there is to tell.
$node->safe_psql('postgres', 'CREATE EXTENSION mfi CASCADE');
like($node->safe_psql('postgres', 'SELECT verdict, reasons FROM mfi_backup_health'),
	qr/^critical\|.*database-missing: there is no database \\"mfi_banking\\"/, 'no database yet: the verdict says so');
my ($status, $out, $err) = $node->psql('postgres', 'SELECT mfi_backup_now(wait => true)');
like($err, qr/ERROR:  there is no database "mfi_banking"\nHINT:  Create it/, 'no database yet: a backup is refused');

# It appears: the run on start follows by itself.
$node->safe_psql('postgres', 'CREATE DATABASE mfi_banking');
$node->sql('CREATE EXTENSION mfi CASCADE');
$node->wait_sql("SELECT EXISTS (SELECT FROM mfi_backups WHERE trigger = 'start' AND state = 'succeeded')");
my $dump = $node->run($node->backup_ok, 'path');

# While it is dumped, DROP DATABASE gives the error it always gives; when idle it does not hang.
my ($session, $id) = $node->dump_held;
($status, $out, $err) = $node->psql('postgres', 'DROP DATABASE mfi_banking');
like($err, qr/database "mfi_banking" is being accessed by other users/, 'DROP DATABASE while dumping: the usual error');
$session->quit;
$node->wait_state($id, 'succeeded');
my $began = time;
$node->safe_psql('postgres', 'DROP DATABASE mfi_banking', timeout => 30);
cmp_ok(time - $began, '<', 10, 'DROP DATABASE when idle: at once');

# FORCE in the middle of a dump ends the dump, not the worker.
$node->safe_psql('postgres', 'CREATE DATABASE mfi_banking');
$node->sql('CREATE EXTENSION mfi CASCADE');
($session, $id) = $node->dump_held;
$node->safe_psql('postgres', 'DROP DATABASE mfi_banking WITH (FORCE)');
$session->{run}->kill_kill;
$node->poll_query_until('postgres', "SELECT state = 'failed' FROM mfi_backups WHERE id = '$id'") or die;
# What ended the connection, or, to a program that had a question on its way just then, that it ended.
like($node->safe_psql('postgres', "SELECT error FROM mfi_backups WHERE id = '$id'"),
	qr/terminating connection due to administrator command|server closed the connection unexpectedly/,
	'DROP DATABASE WITH (FORCE) while dumping: the record');

# Restored section by section, with the launcher looking on.
$node->safe_psql('postgres', 'CREATE DATABASE mfi_banking');
for my $section ('pre-data', 'data', 'post-data')
{
	$node->command_ok([ 'pg_restore', '--exit-on-error', "--section=$section", '-d', $node->connstr('mfi_banking'), $dump ], "section $section");
	my $mid = $node->sql('SELECT reasons::text ~ $$schema-missing$$ FROM mfi_health($$node$$)');
	is($mid, $section eq 'post-data' ? 'f' : 't', "section $section: schema-missing until the last one");
}
$node->recovers_ok('restored in sections');

# Renamed away and back.
$node->safe_psql('postgres', 'ALTER DATABASE mfi_banking RENAME TO elsewhere');
$node->poll_query_until('postgres', "SELECT reasons::text ~ 'database-missing' FROM mfi_backup_health") or die;
$node->safe_psql('postgres', 'ALTER DATABASE elsewhere RENAME TO mfi_banking');
$node->recovers_ok('renamed away and back');

# The extension goes: backups go on. It comes back: everything is there.
my $before = listing($node, 'mfi_banking');
$node->sql('DROP EXTENSION mfi CASCADE');
$node->safe_psql('postgres', 'SELECT mfi_backup_now(wait => true)');
is($node->safe_psql('postgres', "SELECT state, extension_version, schema_version FROM mfi_backups LIMIT 1"), 'succeeded||1.1',
	'without the extension: the backup says so');
$node->sql('CREATE EXTENSION mfi');
is(listing($node, 'mfi_banking'), $before, 'the extension is back, nothing is lost');
$node->recovers_ok('extension dropped and created');
unlike(slurp_file($node->logfile), qr/mfi launcher.*exited with exit code/, 'the launcher never ended');
$node->stop;
done_testing();
