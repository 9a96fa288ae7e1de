# Sets of another cluster become one's own only by being adopted; a backup that cannot fit is refused before it begins.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $node = MfiNode->bank('bank', conf => "mfi.backup_verify = 'list'\nmfi.backup_retain_days = 0\nmfi.backup_min_keep = 1\n");

sub edit_manifest
{
	my ($id, $change) = @_;
	my $file = $node->backups . "/$id/manifest.json";
	local $_ = slurp_file($file);
	$change->();
	open(my $out, '>', $file) or die $!;
	print $out $_;
	close $out;
	return;
}

my $foreign = $node->backup_ok;
like($node->error("SELECT mfi_backup_adopt('$foreign')"), qr/is not foreign.*is_foreign lists those/s, 'an own set cannot be adopted');
edit_manifest($foreign, sub { s/"system_identifier": "\d+"/"system_identifier": "7000000000000000001"/ });
is($node->run($foreign, 'is_foreign, system_identifier'), 't|7000000000000000001', 'a set of another cluster is foreign');
$node->backup_ok for 1 .. 2;
is($node->run($foreign, 'state, path IS NOT NULL'), 'succeeded|t', 'retention keeps it');
is($node->sql("SELECT mfi_backup_adopt('$foreign')"), 't', 'adopted');
is($node->run($foreign, 'is_foreign'), 'f', 'it is ours now');
like(slurp_file($node->backups . "/$foreign/manifest.json"), qr/"adopted_from": "7000000000000000001"/, 'and the manifest remembers whose it was');
my $last = $node->backup_ok;
is($node->run($foreign, 'state, path IS NULL'), 'expired|t', 'and retention deletes it like the others');
like($node->error("SELECT mfi_backup_adopt('mfi_banking_20200101T000000Z')"), qr/there is no backup set/, 'an unknown set');

edit_manifest($last, sub { s/"size_bytes": \d+/"size_bytes": 900000000000000000/ });
my $error = $node->error('SELECT mfi_backup_now(wait => true)');
like($error, qr/free, the backup is expected to need .* GB.*Free some space there/s, 'no room: refused, with figures and a way on');
is($node->sql("SELECT state, started_at IS NOT NULL FROM mfi_backups LIMIT 1"), 'failed|t', 'and recorded');
like($node->sql("SELECT reasons FROM mfi_health('backup')"), qr/last-backup-failed/, 'and in the verdict');
edit_manifest($last, sub { s/"size_bytes": \d+/"size_bytes": 70000/ });
$node->recovers_ok('room again');

$node->stop;
done_testing();
