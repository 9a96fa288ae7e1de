# The repository's disk is full: a real one of 128 MB that check.sh mounts (MFI_SMALL_DISK). It is told, nothing here changes, and
# with room the copy arrives.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use MfiOffsite qw(restic copy_to snapshots);
use MfiSmallDisk qw(small_disk);
use Test::More;

my $node = MfiNode->bank('bank', conf => "mfi.backup_verify = restore\n");
$node->sql('CREATE TABLE noise (v bytea); ALTER TABLE noise ALTER v SET STORAGE EXTERNAL');
$node->sql("INSERT INTO noise SELECT string_agg(sha512((n * 1000 + i)::text::bytea), '') FROM generate_series(1, 100) n, generate_series(0, 976) i GROUP BY n");
my $id = $node->sql('SELECT mfi_backup_now(wait => true)');

my $disk = small_disk();
my $repository = "$disk/repository";
my ($code, $said) = restic($node, $repository, 'init');
is($code, 0, 'a repository') or diag($said);
# Room for a part of a pack.
system("dd if=/dev/zero of=$disk/fill bs=64k status=none 2>/dev/null; truncate -s -2M $disk/fill") == 0 or die;

my $full = qr/^offsite-unreachable: .*no space left on device/m;
copy_to($node, $repository);
my $reasons = q{SELECT array_to_string(reasons, E'\n') FROM mfi_health('offsite')};
$node->wait_until('it is full', sub { return $node->sql($reasons) =~ $full });
like($node->sql($reasons), $full, 'it is full, which is told');
is($node->sql('SELECT sets_waiting FROM mfi_offsite'), '1', 'the set waits');
is($node->sql("SELECT mfi_backup_verify('$id')"), 'ok', 'and is as it was');
is(scalar snapshots($node, $repository, 'mfi-set'), 0, 'no half of it is there');

unlink "$disk/fill" or die $!;
$node->wait_until('it goes on', sub { $node->reload; return $node->sql('SELECT newest_set FROM mfi_offsite') eq $id });
unlike($node->sql($reasons), qr/unreachable/, 'with room it goes on');
is($node->sql('SELECT mfi_offsite_drill()'), 'ok', 'and the copy is whole');
$node->stop;
done_testing();
