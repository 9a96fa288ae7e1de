# The backup directory: unset, missing, read-only, a link, a file, inside the data directory; lost in the
# middle of a dump.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use PostgreSQL::Test::Utils qw(append_to_file slurp_dir);
use Test::More;

my $node = MfiNode->bank('bank');
my $backups = $node->backups;
my $good = $node->backup_ok;

sub refused
{
	my ($name, $error) = @_;
	like($node->error('SELECT mfi_backup_now(wait => true)'), $error, "$name: refused at once");
	return;
}

sub unusable
{
	my ($name, $error) = @_;
	refused($name, $error);
	like($node->sql('SELECT verdict, reasons FROM mfi_backup_health'), qr/^critical\|.*backup-directory-unusable: /, "$name: verdict");
	return;
}

# Where it points to.
$node->set('mfi.backup_directory' => "''");
refused('unset', qr/mfi.backup_directory is not set, so backups are off.*HINT:  Set mfi.backup_directory/s);
like($node->sql('SELECT verdict, reasons FROM mfi_backup_health'), qr/^warning\|.*backups-off: /, 'unset: one standing warning');
is($node->sql('SELECT count(*) FROM mfi_backups'), '0', 'unset: no history');
like($node->error("ALTER SYSTEM SET mfi.backup_directory = 'backups'"),
	qr/DETAIL:  "backups" is not an absolute path.*HINT:  Give the whole path/s, 'relative: refused by ALTER SYSTEM');
$node->set('mfi.backup_directory' => "'$backups/nowhere'");
unusable('missing', qr{the backup directory "\Q$backups\E/nowhere" does not exist.*HINT:  Create it}s);
append_to_file("$backups/../a_file", "x\n");
$node->set('mfi.backup_directory' => "'$backups/../a_file'");
unusable('a file', qr/a_file" is not a directory/);
my $pgdata = $node->data_dir;
for my $inside ($pgdata, "$pgdata/base", "$backups/../pgdata/pg_wal/", "$backups/../link_inside")
{
	symlink($pgdata, "$backups/../link_inside") if $inside =~ /link_inside/;
	$node->set('mfi.backup_directory' => "'$inside'");
	unusable("inside the data directory ($inside)" =~ s/\Q$backups\E//r, qr/is inside the data directory.*Backups would be lost/s);
}
symlink($backups, "$backups/../link") or die;
$node->set('mfi.backup_directory' => "'$backups/../link/'");
is($node->sql("SELECT state FROM mfi_backups WHERE id = '$good'"), 'succeeded', 'a link to a directory is followed');
$node->recovers_ok('through a link');
$node->set('mfi.backup_directory' => "'$backups'");

# What it allows.
chmod 0500, $backups or die;
unusable('read-only', qr/could not write to the backup directory "\Q$backups\E": Permission denied/);
is($node->sql("SELECT state FROM mfi_backups WHERE id = '$good'"), 'succeeded', 'read-only: the history is there');
chmod 0700, $backups or die;
$node->recovers_ok('read-only');
chmod 0500, "$backups/.runs" or die;
like($node->error('SELECT mfi_backup_now(wait => true)'), qr/could not create ".*\.runs.*: Permission denied/, 'records read-only: told');
like($node->sql('SELECT reasons FROM mfi_backup_health'), qr/last-backup-failed: .*Permission denied/, 'records read-only: verdict');
chmod 0700, "$backups/.runs" or die;
$node->recovers_ok('records read-only');

# In the middle of a dump: renamed away (unmounted), made read-only, replaced by a link.
my ($session, $id) = $node->dump_held;
rename $backups, "$backups.away" or die;
$session->quit;
$node->wait_sql("SELECT reasons::text LIKE '%backup-directory-unusable%does not exist%' FROM mfi_backup_health");
$node->wait_sql('SELECT count(*) = 0 FROM mfi_backup_progress');
rename "$backups.away", $backups or die;
$node->recovers_ok('directory gone while dumping');
like($node->run($id, 'state, error'), qr/^failed\|/, 'directory gone while dumping: the record');

($session, $id) = $node->dump_held;
chmod 0500, $backups or die;
$session->quit;
$node->wait_sql('SELECT count(*) = 0 FROM mfi_backup_progress');
chmod 0700, $backups or die;
$node->recovers_ok('directory read-only while dumping');
like($node->run($id, 'state, error'), qr/^failed\|could not .*Permission denied/, 'directory read-only while dumping: the record');

($session, $id) = $node->dump_held;
rename $backups, "$backups.away" or die;
symlink("$backups.away", $backups) or die;
$session->quit;
$node->wait_state($id, 'succeeded');
unlink $backups or die;
rename "$backups.away", $backups or die;
$node->recovers_ok('directory replaced by a link');

$node->stop;
done_testing();
