# A line that is slow, and cut before a night's copy is across: what has arrived is not sent again, and of what was on the way there is
# one pack at most. In the long form it is one of 256 kbit/s that is cut every ten minutes.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use List::Util qw(sum);
use MfiLine qw(in_own_network);
use MfiNode;
use MfiOffsite qw(serve copy_to);
use Test::More;
use Time::HiRes qw(usleep);

BEGIN { in_own_network() }

my $long = $ENV{MFI_LONG};
my $megabytes = $long ? 48 : 20;
my $largest_pack = 12 * 1024 * 1024;    # of 4 MiB, to which one block more is added, of at most 8 MiB
my $headers = 1.05;                     # of packets, and of requests
my $questions = 500_000;                # and what is not a pack: locks, the index

my $node = MfiNode->bank('bank', conf => "mfi.backup_verify = restore\n");
$node->sql('CREATE TABLE noise (v bytea); ALTER TABLE noise ALTER v SET STORAGE EXTERNAL');
$node->sql("INSERT INTO noise SELECT string_agg(sha512((n * 1000 + i)::text::bytea), '')"
	  . " FROM generate_series(1, 16 * $megabytes) n, generate_series(0, 976) i GROUP BY n");
my $id = $node->sql('SELECT mfi_backup_now(wait => true)');
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $line = MfiLine->new($port, $long ? '256kbit' : '48mbit');
my ($server, $repository) = serve($node, port => $port);

sub packs { return map { -s $_ // 0 } grep { /\/[0-9a-f]{64}$/ } glob("$server->{path}/bank/data/*/*") }
sub is_copied { return $node->sql("SELECT count(*) FROM mfi_offsite_copies WHERE id = '$id'") }

my ($began, $first, $cuts, $arrived) = (time, $line->sent, 0, 0);
my $sent = $first;
copy_to($node, $repository);

# In the middle of a pack, when at least one has arrived since the last cut; of the long form, after ten minutes. False when the copy
# is across.
sub is_to_be_cut
{
	my ($since, $packs, $sent_then) = (time, scalar packs(), undef);
	until ($long ? time >= $since + 600 : defined $sent_then && $line->sent > $sent_then + 1_000_000)
	{
		$sent_then //= $line->sent if packs() > $packs;
		return 0 if is_copied();
		usleep($long ? 1_000_000 : 20_000);
	}
	return 1;
}

# What has gone over the line since the last cut, beyond what is there now.
sub lost
{
	my ($sent_now, $there) = ($line->sent, sum(0, packs()));
	my $lost = $sent_now - $sent - $headers * ($there - $arrived);
	note(sprintf 'after %d s: %d bytes sent, %d packs of %d bytes there; lost %d', time - $began, $sent_now - $first, scalar packs(), $there, $lost);
	($sent, $arrived) = ($sent_now, $there);
	return $lost;
}

sub is_lost
{
	my ($what) = @_;
	cmp_ok(lost(), '<', $largest_pack + $questions, "$what: one pack was on the way");
	++$cuts;
	return;
}

if ($long)
{
	while (is_to_be_cut())
	{
		# One time as after a dial-in, of which nobody is told; the next time it is down for a while.
		if ($cuts % 2) { $line->change } else { $line->cut }
		is_lost('cut');
		next if $cuts % 2 == 0;
		usleep(20_000_000);
		$line->mend;
	}
}
else
{
	ok(is_to_be_cut(), 'in the middle of the copy');
	$line->cut;
	is_lost('the line is cut');
	$line->mend;
	ok(is_to_be_cut(), 'in the middle again');
	$node->stop('immediate');
	$line->cut;
	is_lost('the node fails');
	$line->mend;
	$node->start;
	# The run that has failed may still be about to let its lock go.
	$node->wait_until('the copy is across', sub { $node->reload; usleep(500_000); return is_copied() });
}

cmp_ok(lost(), '<', $questions, 'what had arrived before the last cut was not sent again');
my $bytes = $node->sql("SELECT size_bytes FROM mfi_backups WHERE id = '$id'");
cmp_ok(abs($arrived - $bytes), '<', $questions, 'and is there once');
note(sprintf '%d bytes sent in %d s with %d cuts, %.2f of what the repository has', $sent - $first, time - $began, $cuts, ($sent - $first) / $arrived);
is($node->sql('SELECT mfi_offsite_drill()'), 'ok', 'and it is whole');
$node->stop;
done_testing();
