package MfiSmallDisk;

# A disk of 128 MB that check.sh mounts for tests that fill it, one at a time.

use strict;
use warnings FATAL => 'all';
use Exporter qw(import);
use Fcntl qw(LOCK_EX);

our @EXPORT_OK = qw(small_disk);

my $alone;

# Its directory, empty, and this test's until that ends.
sub small_disk
{
	my $disk = $ENV{MFI_SMALL_DISK} or die 'MFI_SMALL_DISK names no directory on a disk of 128 MB';
	open($alone, '<', $disk) or die "$disk: $!";
	flock($alone, LOCK_EX) or die "$disk: $!";
	system('rm', '-rf', glob("$disk/*")) == 0 or die "could not empty $disk";
	return $disk;
}

1;
