#!/usr/bin/perl
# halt_processes.pl DIRECTORY [SEED]: until it is ended, or DIRECTORY/halt-no-more is there, halts random processes of servers and clients
# for 5 to 300 ms each (SIGSTOP, then SIGCONT), as a crowded machine would. Only those whose working directory is below DIRECTORY, or whose
# TMPDIR is, and that this user may signal; never one that is halted already, nor one of a test that halts processes itself. Whatever ends
# this script, be it SIGKILL, each process goes on: a second process of it, the keeper, sees to that. The seed is printed, so that the order
# can be had again.

use strict;
use warnings FATAL => 'all';
use Cwd qw(abs_path);
use FindBin;
use POSIX ();
use Time::HiRes qw(time);

my $most = 4;    # at once
my $programs = qr/^(?:postgres|psql|mfi|initdb|createdb|dropdb|pg_\w+)$/;

my ($directory, $seed) = @ARGV;
defined $directory && -d $directory or die "usage: halt_processes.pl DIRECTORY [SEED]\n";
$directory = abs_path($directory);
$seed //= int(time * 1000) & 0x7fffffff;
srand($seed);
$| = 1;
print "halting processes below $directory, seed $seed\n";

# The tests that halt processes themselves, by name: a SIGCONT of ours would spoil them.
my @own = map { m{([^/]+)\.pl$} } grep { slurp($_) =~ /\bSTOP\b/ } glob "$FindBin::RealBin/../../t/*/*.pl";
my $own = join '|', map { quotemeta } @own, '-';

sub slurp
{
	my ($file) = @_;
	open(my $in, '<', $file) or return '';
	local $/;
	return <$in> // '';
}

# Its state and its parent's number; nothing when it has ended.
sub status
{
	my ($pid) = @_;
	return slurp("/proc/$pid/stat") =~ /^\d+ \((.*)\) (\S) (\d+)/s;
}

sub of_own_test
{
	my ($pid) = @_;
	for (my $depth = 0; $pid > 1 && $depth < 30; ++$depth)
	{
		my $where = (readlink("/proc/$pid/cwd") // '') . ' ' . slurp("/proc/$pid/cmdline");
		return 1 if $where =~ m{(?:/t_|/)(?:$own)(?:_|\.pl|/)};
		my ($name, $state, $parent) = status($pid) or return 0;
		$pid = $parent;
	}
	return 0;
}

sub may_be_halted
{
	my ($pid) = @_;
	my ($name, $state) = status($pid) or return 0;
	return 0 if $pid == $$ || $name !~ $programs || $state !~ /[RSD]/;
	my $below = sub { return index("$_[0]/", "$directory/") == 0 };
	my ($temporary) = slurp("/proc/$pid/environ") =~ /(?:^|\0)TMPDIR=([^\0]*)/;
	return 0 unless $below->(readlink("/proc/$pid/cwd") // '') || $below->($temporary // '');
	return !of_own_test($pid);
}

# The keeper hears of each process before it is halted, and continues what it has heard of when nothing more can come.
pipe(my $from, my $to) or die "could not make a pipe: $!";
my $keeper = fork // die "could not fork: $!";
if (!$keeper)
{
	close($to);
	POSIX::setsid();
	$SIG{$_} = 'IGNORE' for qw(HUP INT TERM PIPE);
	my %halted;
	while (my $line = <$from>)
	{
		$line =~ /^\+(\d+)/ ? $halted{$1} = 1 : $line =~ /^-(\d+)/ ? delete $halted{$1} : next;
	}
	kill 'CONT', keys %halted;
	POSIX::_exit(0);
}
close($from);
$to->autoflush(1);
my ($ended, $number) = (0, 0);
my %until;
$SIG{$_} = sub { $ended = 1 } for qw(HUP INT TERM);
$SIG{PIPE} = 'IGNORE';

sub go_on
{
	my (@pids) = @_;
	for my $pid (@pids)
	{
		kill 'CONT', $pid;
		delete $until{$pid};
		print {$to} "-$pid\n" or $ended = 1;
	}
	return;
}

my $parent = getppid;
until ($ended || getppid != $parent || -e "$directory/halt-no-more")
{
	go_on(grep { $until{$_} <= time } keys %until);
	if (keys %until < $most)
	{
		opendir(my $proc, '/proc') or die "could not read /proc: $!";
		my @all = grep { /^\d+$/ && !$until{$_} && may_be_halted($_) } readdir $proc;
		if (@all)
		{
			my $pid = $all[ rand @all ];
			print {$to} "+$pid\n" or last;
			$until{$pid} = time + 0.005 + rand 0.295;
			$number += kill 'STOP', $pid;
		}
	}
	select(undef, undef, undef, 0.005 + rand 0.03);
}
go_on(keys %until);
close($to);
waitpid($keeper, 0);
print "halted $number times, seed $seed\n";
