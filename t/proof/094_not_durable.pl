# The directory of backups has a fault in the moment when a set gets its name, loses it, or is written to: what the record says and what
# the directory has are the same, also after the server is started anew.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use Errno qw(EIO ENOSPC);
use MfiFileFault;
use MfiNode;
use MfiShim qw(install_with replace);
use PostgreSQL::Test::Utils qw(slurp_dir);
use Test::More;

my $path = install_with();
my $fault = MfiFileFault->new;
my $node = MfiNode->prepared('bank', install_path => $path);
$fault->start($node);
$node->safe_psql('postgres', 'CREATE DATABASE mfi_banking');
$node->sql('CREATE EXTENSION mfi CASCADE');
my $root = $node->backups;

# While pg_restore is asked to read all of the archive: it fails, and the directory from then on.
my $unreadable = sub { qq{case "\$1" in --file=*) cp $fault->{file}.later $fault->{file}; exit 1 ;; esac; real "\$@"} };
my $readable = sub { qq{case "\$1" in --file=*) cp $fault->{file}.later $fault->{file} ;; esac; real "\$@"} };

# NAME, what fails, from where on (undef: from the beginning), what the record says, whether a set has the run's name.
my @cases = (
	[ 'published, no fsync', { "fsync of $root;" => EIO }, undef, qr/^failed\|\|f\|could not fsync/, 'no set' ],
	[ 'published, no fsync for want of room', { "fsync of $root;" => ENOSPC }, undef, qr/^failed\|\|f\|could not fsync/, 'no set' ],
	[ 'not published', { "rename of $root/.partial-" => EIO }, undef, qr/^failed\|\|f\|could not rename/, 'no set' ],
	[ 'published, no fsync, and no way back', { "fsync of $root;" => EIO, "rename of $root/mfi_banking_" => EIO }, undef, qr/^succeeded\|ok\|t\|.*could not fsync/, 'a set' ],
	[ 'verified, and the manifest not written', { "fsync of $root/mfi_banking_" => EIO }, $readable, qr/^failed\|\|t\|could not fsync.*complete but not verified/, 'a set' ],
	[ 'verified, and the manifest not durable', { 'Z;' => EIO }, $readable, qr/^succeeded\|ok\|t\|.*could not fsync/, 'a set' ],
	[ 'verified, and the link not durable', { "fsync of $root;" => EIO }, $readable, qr/^succeeded\|ok\|t\|.*could not fsync/, 'a set' ],
	[ 'put aside, no fsync', { "fsync of $root;" => EIO }, $unreadable, qr/^failed\|[^|]*cannot be read[^|]*\|f\|verification failed: .*cannot be read/, 'no set' ],
	[ 'not put aside', { "rename of $root/mfi_banking_" => EIO }, $unreadable, qr/^failed\|[^|]*cannot be read[^|]*\|t\|verification failed: .*cannot be read.*could not rename/, 'a set' ]);
for my $case (@cases)
{
	my ($name, $faults, $from, $expected, $set) = @$case;
	$fault->refuse(%$faults);
	if ($from)
	{
		rename $fault->{file}, "$fault->{file}.later" or die $!;
		replace($path, 'pg_restore', $from->());
	}
	$node->psql('mfi_banking', 'SELECT mfi_backup_now(wait => true)');
	$fault->end;
	replace($path, 'pg_restore', undef);
	my $id = $node->sql('SELECT id FROM mfi_backups ORDER BY queued_at DESC, id DESC LIMIT 1');
	for my $when ('at once', 'after a restart')
	{
		if ($when ne 'at once')
		{
			$node->stop;
			$fault->start($node);
			$node->launcher_ready;
		}
		like($node->run($id, 'state, verify_result, path IS NOT NULL, error'), $expected, "$name: what the record says, $when");
		is(-e "$root/$id" ? 'a set' : 'no set', $set, "$name: what is there, $when");
	}
}
$node->stop;
done_testing();
