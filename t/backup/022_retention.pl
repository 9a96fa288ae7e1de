# Retention deletes whole sets, under its floors, and says so; a set removed by hand is missing.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use PostgreSQL::Test::Utils qw(slurp_dir);
use Test::More;

my $node = MfiNode->bank('bank', conf => <<'CONF');
mfi.backup_retain_days = 0
mfi.backup_min_keep = 1
CONF
my $backups = $node->backups;

sub ids_in_directory
{
	return join(' ', sort grep { /^mfi_banking_\d{8}T\d{6}Z$/ } slurp_dir($backups));
}

my $first = $node->backup_ok;
is($node->run($first, 'state, error'), 'succeeded|', 'the only set stays');

# A second one is enough: with no days to keep and one set to keep, the first one goes, name and files.
my $second = $node->backup_ok;
is($node->run($second, 'state'), 'succeeded', 'the newest set stays');
is(ids_in_directory(), $second, 'the older one is gone');
ok(!-l "$backups/$first.sql.gz", 'with its link');
is($node->run($first, 'state, path, finished_at IS NOT NULL, error'),
	'expired||t|deleted: less than a day old, keep 0', 'its record says expired and why');

# A held set stays until it is released.
like($node->error("SELECT mfi_backup_hold('$first', 'too late')"), qr/there is no backup set "$first".*HINT:/s,
	'hold of a set that is gone');
is($node->sql("SELECT mfi_backup_hold('$second', 'auditor''s \"copy\"')"), 't', 'hold');
is($node->run($second, 'held'), 't', 'a held set says so');
my $third = $node->backup_ok;
is(ids_in_directory(), join(' ', sort $second, $third), 'a held set stays');
is($node->sql("SELECT decision, reason FROM mfi_backup_retention_preview() WHERE id = '$second'"),
	q(keep|kept: held: auditor's "copy"), 'and the preview says why');
is($node->sql("SELECT mfi_backup_release('$second')"), 't', 'release');
is($node->sql("SELECT decision FROM mfi_backup_retention_preview() WHERE id = '$second'"), 'delete',
	'the preview tells what the next success will delete');
is(ids_in_directory(), join(' ', sort $second, $third), 'but only a success deletes');

# A failed run deletes nothing.
my ($session, $failed) = $node->dump_held;
kill 'KILL', keys %{ { $node->children } };
$node->wait_state($failed, 'failed');
$session->quit;
is(ids_in_directory(), join(' ', sort $second, $third), 'a failed run deletes nothing');
my $fourth = $node->backup_ok;
is(ids_in_directory(), $fourth, 'a success does');

# What somebody removed by hand was no work of retention.
system('rm', '-r', "$backups/$fourth", "$backups/$fourth.sql.gz") == 0 or die;
is($node->run($fourth, 'state, path'), 'missing|', 'a set removed by hand is missing');
like($node->sql('SELECT reasons FROM mfi_backup_health'), qr/no-verified-backup/, 'and is no backup any more');

# A set of another cluster is shown and never deleted.
my $own = $node->backup_ok;
my $foreign = 'mfi_banking_20200101T020000Z';
system('cp', '-r', "$backups/$own", "$backups/$foreign") == 0 or die;
system('sed', '-i', "s/$own/$foreign/g; s/\"system_identifier\": *\"[0-9]*\"/\"system_identifier\": \"42\"/",
	"$backups/$foreign/manifest.json") == 0
  or die;
is($node->run($foreign, 'state, is_foreign, system_identifier'), 'succeeded|t|42', 'a foreign set is listed as such');
my $last = $node->recovers_ok('with a foreign set');
is(ids_in_directory(), "$foreign $last", 'a foreign set is never deleted');
is($node->sql("SELECT reason FROM mfi_backup_retention_preview() WHERE id = '$foreign'"),
	'kept: written by another cluster and not adopted', 'and the preview says why');
$node->stop;
done_testing();
