# Modes of a set that a group may read, and the directory format of parallel dumps.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiListing qw(listing);
use MfiNode;
use PostgreSQL::Test::Utils qw(run_command slurp_dir);
use Test::More;

my $node = MfiNode->bank('bank', conf => <<'CONF');
mfi.backup_jobs = 2
mfi.backup_group_read = on
mfi.backup_compression = 'gzip:6'
CONF
my $backups = $node->backups;
my $id = $node->backup_ok;

sub mode { return sprintf('%o', (stat "$backups/$id" . ($_[0] // ''))[2] & 07777) }

is(mode(), '750', 'set: 0750');
is(mode('/mfi_banking.dir'), '750', 'archive directory: 0750');
is(mode('/manifest.json'), '640', 'manifest: 0640');
is(mode('/globals.sql'), '600', 'globals stay private');
my @members = grep { !/^\.\.?$/ } slurp_dir("$backups/$id/mfi_banking.dir");
is(join(' ', grep { mode("/mfi_banking.dir/$_") ne '640' } @members), '', 'members of the archive: 0640');
ok((grep { /\.dat\.gz$/ } @members) > 10, 'the archive is a directory, compressed as set');

# Every file of the set, and nothing else, is in the manifest with the hash that sha256sum gives.
my %listed = map { split /\|/ } split /\n/,
  $node->sql("SELECT f->>'name', f->>'sha256' FROM jsonb_array_elements("
	  . "pg_read_file('$backups/$id/manifest.json')::jsonb->'files') f");
my ($sums) = run_command(
	[ 'sh', '-c', 'cd "$1" && find . -type f ! -name manifest.json -exec sha256sum {} +', 'sh', "$backups/$id" ]);
my %real = map { my ($sum, $name) = split /  /; ($name =~ s{^\./}{}r => $sum) } split /\n/, $sums;
is_deeply(\%listed, \%real, 'the manifest lists each file');

is(readlink "$backups/$id.sql.gz", "$id/mfi_banking.dir", 'link to the archive');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '-j2', '--exit-on-error', '-d', $node->connstr('restored'), "$backups/$id.sql.gz" ],
	'pg_restore -j2');
is(listing($node, 'restored'), listing($node, 'mfi_banking'), 'restored: equal');

# Holding a set rewrites its manifest in the mode it had.
$node->sql("SELECT mfi_backup_hold('$id', 'audit of 2026')");
is(mode('/manifest.json'), '640', 'manifest of a held set: still 0640');

# A parallel dump that dies takes its workers along.
my ($session, $held) = $node->dump_held;
my %children = $node->children;
ok(%children, 'a parallel dump goes on');
kill 'KILL', keys %children;
$node->wait_state($held, 'failed');
$session->quit;
$node->recovers_ok('parallel dump killed');
$node->stop;
done_testing();
