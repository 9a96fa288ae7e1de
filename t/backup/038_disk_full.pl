# The disk is full, in each phase of a run: a real one of 128 MB that check.sh mounts (MFI_SMALL_DISK).

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiLanguage;
use MfiNode;
use MfiShim qw(install_with replace);
use MfiSmallDisk qw(small_disk);
use Test::More;

my $disk = small_disk();
my $path = install_with();
my $node = MfiNode->bank('bank', install_path => $path);
$node->sql("CREATE TABLE noise AS SELECT sha512((i * 7)::text::bytea) AS v FROM generate_series(1, 60000) i");
my $fill = "dd if=/dev/zero of=$disk/fill bs=64k status=none 2>/dev/null || dd if=/dev/zero of=$disk/fill.rest bs=1 count=65536 status=none 2>/dev/null || true";
my $free = sub { unlink glob("$disk/fill*") };
my $fails = sub {
	my ($name, $expected) = @_;
	like($node->error('SELECT mfi_backup_now(wait => true)'), $expected, "$name: the caller is told");
	replace($path, $_, undef) for 'pg_dump', 'pg_dumpall', 'pg_restore';
};
my $whole = sub {
	my ($name) = @_;
	$free->();
	$node->recovers_ok($name);
	$node->sql("SELECT mfi_backup_release(id) FROM mfi_backups WHERE held");
};

mkdir "$disk/backups" or die $!;
$node->set('mfi.backup_directory' => "'$disk/backups'", 'mfi.backup_min_keep' => '1', 'mfi.backup_retain_days' => '0');
$node->{backups} = "$disk/backups";

# While it dumps: there is no earlier set to forecast from.
system("dd if=/dev/zero of=$disk/fill bs=1M count=126 status=none") == 0 or die;
$fails->('dumping', qr/pg_dump failed with exit code 1: .*No space left on device/s);
is($node->sql('SELECT state FROM mfi_backups LIMIT 1'), 'failed', 'dumping: so is the record');
$whole->('dumping');

# While it writes the roles, which pg_dumpall does not notice.
replace($path, 'pg_dumpall', qq{case "\$1" in --version) ;; *) $fill ;; esac\nreal "\$@"});
$fails->('globals', qr/pg_dumpall (did not write|failed)/);
$whole->('globals');

# While it publishes: the archive is read, then the disk is full.
replace($path, 'pg_restore', qq{real "\$@"\ncase "\$1" in --list) $fill ;; esac});
$fails->('publishing', qr/No space left on device/);
$whole->('publishing');

# While it verifies: the manifest cannot be written anew. The set is there, whole, and not verified.
replace($path, 'pg_restore', qq{case "\$1" in --file=*) $fill ;; esac\nreal "\$@"});
$fails->('verifying', qr/No space left on device/);
my $id = $node->sql('SELECT id FROM mfi_backups LIMIT 1');
like($node->run($id, 'state, verify_result, path IS NOT NULL'), qr/^(failed|succeeded)\|\|t$/, 'verifying: the set stays, as not verified');
$free->();
is($node->sql("SELECT mfi_backup_verify('$id')"), 'ok', 'and can be verified when there is room');
$whole->('verifying');

# Before it begins: not even a record can be written.
system($fill);
$node->error('SELECT mfi_backup_now(wait => true)');
like($node->sql('SELECT verdict || reasons::text FROM mfi_backup_health'), qr/critical.*|warning.*last-backup-failed.*(No space left|free)/, 'full from the start: the verdict tells');
$whole->('full from the start');

# The scratch server's disk: the set is not to blame.
$node->set('mfi.backup_directory' => "'@{[ $node->basedir ]}/backups'", 'mfi.backup_verify' => 'restore', 'mfi.scratch_directory' => "'$disk'");
delete $node->{backups};
system('rm', '-r', "$disk/backups") == 0 or die;
replace($path, 'pg_restore', qq{case "\$1" in --jobs=*) $fill ;; esac\nreal "\$@"});
$id = $node->backup_ok;
like($node->run($id, 'state, verify_method, verify_result, error'), qr/^succeeded\|restore\|\|the backup could not be proven: .*No space left on device/s,
	'full in the middle of the proof: read instead, and said so');
replace($path, 'pg_restore', undef);
$id = $node->backup_ok;
like($node->run($id, 'state, verify_method, verify_result, error'), qr/^succeeded\|restore\|\|the backup could not be proven: "\Q$disk\E" has .* free/,
	'no room for the proof: said beforehand');
$free->();
$id = $node->backup_ok;
is($node->run($id, 'state, verify_method, verify_result, error'), 'succeeded|restore|ok|', 'room again: proven');

# The same of a server that speaks another language.
$node->stop;
MfiLanguage->new->start($node);
replace($path, 'pg_restore', qq{case "\$1" in --jobs=*) $fill ;; esac\nreal "\$@"});
$id = $node->backup_ok;
like($node->run($id, 'state, verify_method, verify_result, error'), qr/^succeeded\|restore\|\|the backup could not be proven: /, 'in another language: not proven');
is($node->sql(q(SELECT verdict || ' ' || (reasons::text LIKE '%backup-not-proven%') FROM mfi_backup_health)), 'warning true', 'and the verdict says so');
replace($path, 'pg_restore', undef);
$free->();
is($node->sql("SELECT mfi_backup_verify('$id')"), 'ok', 'proven when there is room');
$node->stop;
done_testing();
