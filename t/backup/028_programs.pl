# The programs that dump: missing, of another major version, failing, or lying about their success.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use MfiShim qw(install_with replace);
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $path = install_with();
my $node = MfiNode->bank('bank', install_path => $path);

sub fails_with
{
	my ($name, $program, $script, $error) = @_;
	replace($path, $program, $script);
	like($node->error('SELECT mfi_backup_now(wait => true)'), $error, "$name: the caller is told");
	like($node->run($node->sql('SELECT id FROM mfi_backups LIMIT 1'), 'state, error'), qr/^failed\|/, "$name: so is the record");
	like($node->sql('SELECT reasons FROM mfi_backup_health'), qr/last-backup-failed: /, "$name: and the verdict");
	replace($path, $program, undef);
	$node->recovers_ok($name);
	return;
}

for my $program ('pg_dump', 'pg_dumpall', 'pg_restore')
{
	fails_with("$program of another major version", $program, 'echo "' . $program . ' (PostgreSQL) 15.20 (Debian)"',
		qr/$path\/bin\/$program is of version 15, the server of version \d+ \(Install the client programs of PostgreSQL \d+ in "\Q$path\E/);
}
unlink "$path/bin/pg_dump";
like($node->error('SELECT mfi_backup_now(wait => true)'), qr{there is no \Q$path\E/bin/pg_dump \(Install the client programs},
	'pg_dump missing: the caller is told');
replace($path, 'pg_dump', undef);
$node->recovers_ok('pg_dump missing');

fails_with('pg_dump that fails', 'pg_dump',
	'[ "$1" = --version ] || { echo "pg_dump: error: no luck with “ümlauts”" >&2; exit 3; }; real "$@"',
	qr/pg_dump failed with exit code 3: pg_dump: error: no luck with “ümlauts”/);
fails_with('pg_dumpall that fails', 'pg_dumpall', '[ "$1" = --version ] || exit 1; real "$@"',
	qr/pg_dumpall failed with exit code 1/);

# A full disk: pg_dump notices it, pg_dumpall does not.
my $full = 'for a; do case $a in --file=*) ln -s /dev/full "${a#--file=}";; esac; done; real "$@"';
fails_with('no room for the archive', 'pg_dump', $full, qr/pg_dump failed with exit code 1: .*No space left on device/);
my $file = 'for a; do case $a in --file=*) f=${a#--file=};; esac; done; real "$@"; [ -z "$f" ]';
fails_with('no room for the globals', 'pg_dumpall', "$file || truncate -s -60 \"\$f\"",
	qr/pg_dumpall did not write ".*globals.sql" to its end \(Free some space/);

# A success that is none: what is not whole never gets a good name.
fails_with('a truncated archive', 'pg_dump', "$file || truncate -s -200 \"\$f\"",
	qr/verification failed: the archive cannot be read to its end: /);
fails_with('half an archive', 'pg_dump', "$file || truncate -s 100 \"\$f\"",
	qr/pg_restore failed with exit code 1: /);
fails_with('an empty archive', 'pg_dump', "$file || : >\"\$f\"",
	qr/pg_restore failed with exit code 1: /);
fails_with('no archive at all', 'pg_dump', '[ "$1" = --version ] || exit 0; real "$@"', qr/pg_restore failed with exit code 1: /);

# A program that talks without end neither fills memory nor the record.
fails_with('a talkative program', 'pg_dump',
	'[ "$1" = --version ] || { head -c 20000000 /dev/zero | tr "\0" x >&2; echo >&2; echo "the reason" >&2; exit 1; }; real "$@"',
	qr/pg_dump failed with exit code 1: .*all of its words: /s);
like(slurp_file((glob $node->backups . '/.runs/*.log')[-1]), qr/x\nthe reason\n/, 'the end of it is in the private log');
cmp_ok($node->sql('SELECT max(length(error)) FROM mfi_backups'), '<', 5000, 'errors are cut');
$node->stop;
done_testing();
