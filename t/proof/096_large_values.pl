# Values as large as PostgreSQL has them: their contents are read, one at a time, and the memory for that is given back.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;
use Time::HiRes qw(time);

# A row has at most 1 GB before its values are put out of line, and so has what lz4 makes room for.
my $size = $ENV{MFI_LONG} ? 1_069_000_000 : 100 * 1024 * 1024;
my $node = MfiNode->bank('bank', conf => "autovacuum = off\nmax_wal_size = '8GB'\n");
my $hash = sub { $node->sql("SELECT hash FROM _mfi_contents('$_[0]'::regclass)") };

my %made = (
	'text, compressed' => "v text; INSERT INTO big SELECT repeat('x', $size)",
	'text, out of line as it is' => "v text STORAGE EXTERNAL; INSERT INTO big SELECT repeat('x', $size)",
	'text, compressed by lz4' => "v text COMPRESSION lz4; INSERT INTO big SELECT repeat('x', $size)",
	'bytea, compressed' => "v bytea; INSERT INTO big SELECT convert_to(repeat('x', $size), 'SQL_ASCII')",
	'bytea, out of line as it is' => "v bytea STORAGE EXTERNAL; INSERT INTO big SELECT convert_to(repeat('x', $size), 'SQL_ASCII')");
my $began;
my %hashes;
for my $name (sort keys %made)
{
	my ($type, $insert) = split /; /, $made{$name}, 2;
	$node->sql("DROP TABLE IF EXISTS big; CREATE TABLE big ($type); $insert; INSERT INTO big TABLE big; INSERT INTO big TABLE big; CHECKPOINT");
	my $session = $node->background_psql('mfi_banking');
	my $pid = $session->query_safe('SELECT pg_backend_pid()');
	my $memory = sub { slurp_file("/proc/$pid/status") =~ /^$_[0]:\s+(\d+) kB/m ? $1 * 1024 : die };
	$session->query_safe("SELECT rows FROM _mfi_contents('portals'::regclass)");
	my $before = $memory->('RssAnon');
	$began = time;
	my ($rows, $h) = split /\|/, $session->query_safe("SELECT rows, hash FROM _mfi_contents('big'::regclass)");
	note sprintf '%s: 4 values of %d bytes in %.1f s', $name, $size, time - $began;
	is($rows, 4, "$name: read");
	$hashes{ (split /,/, $name)[0] }{$h} = 1;
	cmp_ok($memory->('RssAnon') - $before, '<', 32 * 1024 * 1024, "$name: the memory is given back");
	cmp_ok($memory->('VmHWM'), '<', 2.5 * $size + 256 * 1024 * 1024, "$name: no more than one at a time");
	$session->quit;
}
is(scalar keys %{ $hashes{$_} }, 1, "$_: the same, however it is stored") for sort keys %hashes;

# The last byte counts.
$node->sql("TRUNCATE big; INSERT INTO big SELECT convert_to(repeat('x', @{[ $size - 1 ]}) || 'y', 'SQL_ASCII')");
my $y = $hash->('big');
$node->sql("TRUNCATE big; INSERT INTO big SELECT convert_to(repeat('x', $size), 'SQL_ASCII')");
isnt($hash->('big'), $y, 'its last byte counts');
$node->stop;
done_testing();
