# A backup directory is shared with files that are not mfi's: none is touched, none does harm.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use PostgreSQL::Test::Utils qw(append_to_file run_command slurp_dir);
use Test::More;

my $node = MfiNode->prepared('bank', conf => <<'CONF');
mfi.backup_retain_days = 0
mfi.backup_min_keep = 1
CONF
my $backups = $node->backups;

sub file
{
	my ($name, $content) = @_;
	append_to_file("$backups/$name", $content // "not mfi's\n");
	return;
}

sub directory
{
	my ($name) = @_;
	mkdir "$backups/$name" or die "$name: $!";
	return;
}

# Strangers with every kind of name, near misses of our own names, and sets and records that are broken.
file($_) for 'a b', q(it's "quoted"), "two\nlines", '-rf', '*', '$(id)', "caf\xc3\xa9", "\xff\xfe", '%2F', 'latest.old',
  'mfi_banking_20260101T020000Z.sql.gz', 'mfi_banking.dump', '.partial-other-5432-note';
file("dump_$_.sql") for 1 .. 1000;
directory($_) for 'mfi_banking', 'mfi_banking_20260101T020000Z', 'mfi_banking_20260102T020000Z',
  'mfi_banking_20260103T020000Z', 'mfi_banking_20261399T020000Z', '.runs', '.partial-other-5432-mfi_banking_20260101T020000Z';
file('mfi_banking_20260102T020000Z/manifest.json', '{"id": ');
file('mfi_banking_20260103T020000Z/manifest.json', '{"format": 1, "id": "mfi_banking_20200101T020000Z"}');
file('.runs/notes.txt');
file('.runs/mfi_banking_20260101T020000Z.json', 'not JSON');
file('.runs/mfi_banking_20260102T020000Z.json', '[]');
file('.runs/mfi_banking_20260103T020000Z.json', '{"id": "x", "state": "sideways", "queued_at": "2026-01-03T02:00:00Z"}');
symlink '/nonexistent', "$backups/mfi_banking_20260104T020000Z" or die;
symlink '/nonexistent', "$backups/.runs/mfi_banking_20260104T020000Z.json" or die;
system('mkfifo', "$backups/.runs/mfi_banking_20260105T020000Z.json") == 0 or die;
directory('mfi_banking_20260105T020000Z');
system('mkfifo', "$backups/mfi_banking_20260105T020000Z/manifest.json") == 0 or die;

# Name, type, size, time of change and target of everything but the names that begin with an id.
sub strangers
{
	my @ours = @_;
	my ($listing) = run_command([ 'find', $backups, '-printf', '%P %y %s %T@ %l\0' ]);
	my $ours = join '|', map { quotemeta } @ours, 'latest ', '.runs d', '.runs/.', ' d';
	return join "\n", sort grep { !m{^(?:.runs/)?(?:$ours)} } split /\0/, $listing;
}

my $before = strangers();
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE mfi_banking');
$node->sql('CREATE EXTENSION mfi CASCADE');
is($node->sql('SELECT count(*) FROM mfi_backups'), '0', 'no stranger is a backup');
my $first = $node->backup_ok;
my $second = $node->backup_ok;
is($node->sql('SELECT string_agg(state, $$ $$ ORDER BY id) FROM mfi_backups'), 'expired succeeded', 'ours are');
is(strangers($first, $second), $before, 'no stranger was touched');
is($node->sql('SELECT id FROM mfi_backup_retention_preview()'), $second, 'retention knows only ours');
is($node->sql("SELECT state, verify_result FROM mfi_backups WHERE id = '$second'"), 'succeeded|ok', 'and ours is good');

$node->stop;
$node->start;
$node->launcher_ready;
is(strangers($first, $second), $before, 'nor by a restart');
$node->stop;
done_testing();
