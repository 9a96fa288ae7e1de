# What halts processes during the long form of the tests halts servers and clients of a directory, no others, and leaves none halted, however
# it ends.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use File::Copy qw(copy);
use IPC::Run ();
use MfiNode;
use PostgreSQL::Test::Utils;
use Test::More;

# A copy, beside which there is no test that halts processes itself and is spared, as this one is by the other.
my ($ours, $others) = (PostgreSQL::Test::Utils::tempdir, PostgreSQL::Test::Utils::tempdir);
my $script = "$others/halt_processes.pl";
copy("$FindBin::RealBin/../../scripts/dev/halt_processes.pl", $script) or die $!;
my %started;

# A process of this name that does nothing, in a directory.
sub idle
{
	my ($name, $directory) = @_;
	copy('/bin/sleep', "$directory/$name") or die $!;
	chmod 0755, "$directory/$name" or die $!;
	local $ENV{TMPDIR} = $directory;
	my $pid = fork // die $!;
	if (!$pid)
	{
		chdir $directory or die $!;
		exec "./$name", '600';
	}
	$started{$pid} = 1;
	return $pid;
}
sub state_of { my ($pid) = @_; return PostgreSQL::Test::Utils::slurp_file("/proc/$pid/stat") =~ /\) (\S)/ ? $1 : '' }
sub until_so { my ($what, $so) = @_; return MfiNode::wait_until(undef, $what, $so) }

my @victims = map { idle($_, $ours) } 'psql', 'postgres', 'mfi';
my %spared = (bystander => idle('psql', $others), 'another program' => idle('vim', $ours));
my $halted = idle('pg_dump', $ours);
until_so('all are there', sub { return !grep { state_of($_) ne 'S' } @victims, values %spared, $halted });
kill 'STOP', $halted or die $!;
until_so('it is halted', sub { return state_of($halted) eq 'T' });

for my $signal ('TERM', 'KILL')
{
	my $said = '';
	my $run = IPC::Run::start([ $^X, $script, $ours, 7 ], '<', \'', '>&', \$said);
	my (%seen, $touched);
	until_so('each was halted', sub {
		$run->pump_nb;
		$seen{$_} = 1 for grep { state_of($_) eq 'T' } @victims;
		$touched ||= grep { state_of($_) ne 'S' } values %spared;
		return keys %seen == @victims;
	});
	pass("$signal: each of the servers and clients was halted");
	ok(!$touched, "$signal: no others");
	until_so('one is halted', sub { return grep { state_of($_) eq 'T' } @victims });
	$run->signal($signal);
	eval { $run->finish };
	until_so('all go on', sub { return !grep { state_of($_) eq 'T' } @victims });
	pass("$signal: each goes on when the script has ended");
	like($said, qr/^halting processes below \Q$ours\E, seed 7\n/, "$signal: it said the seed");
	is(state_of($halted), 'T', "$signal: what somebody else has halted stays so");
}
END { my $code = $?; kill 'KILL', keys %started; $? = $code }
done_testing();
