package MfiClock;

# A clock that a test sets: servers started by it take the machine's time of day plus an offset, which may change while they
# run. Time that only passes (waits, time-outs) is the machine's.

use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Utils qw(system_or_bail append_to_file);

my $source = <<'C';
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset(void) {
  static volatile long *seconds;
  if (seconds == NULL) {
    int fd = open(getenv("MFI_CLOCK"), O_RDONLY);
    seconds = mmap(NULL, sizeof(long), PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
  }
  return *seconds;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  long failed = syscall(SYS_clock_gettime, clock, now);
  if (failed == 0 && clock == CLOCK_REALTIME) now->tv_sec += offset();
  return (int) failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *result) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (result != NULL) *result = now.tv_sec;
  return now.tv_sec;
}
C

sub new
{
	my ($class) = @_;
	my $directory = PostgreSQL::Test::Utils::tempdir;
	my $self = bless { file => "$directory/offset", library => "$directory/clock.so" }, $class;
	append_to_file("$directory/clock.c", $source);
	system_or_bail('cc', '-shared', '-fPIC', '-o', $self->{library}, "$directory/clock.c");
	$self->set(0);
	return $self;
}

# Seconds ahead of the machine's clock, from now on.
sub set
{
	my ($self, $seconds) = @_;
	open(my $file, -e $self->{file} ? '+<:raw' : '>:raw', $self->{file}) or die "$self->{file}: $!";
	print $file pack('l!', $seconds);
	close $file or die $!;
	return;
}

sub start
{
	my ($self, $node) = @_;
	local $ENV{LD_PRELOAD} = $self->{library};
	local $ENV{MFI_CLOCK} = $self->{file};
	$node->start;
	return;
}

1;
