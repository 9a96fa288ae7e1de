package MfiFileFault;

# A file system that hangs, or refuses to be written, for the servers started by it: whatever names a path with a given word in it
# stands still, or fails with an error number, for as long as a test says so. What is done to an open file or directory, and renames, have names
# of their own: "fsync of PATH;" and "rename of PATH;", so that a test can let these alone fail.

use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Utils qw(system_or_bail append_to_file);

my $source = <<'C';
#define _GNU_SOURCE
#include <dlfcn.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Each line of the gate file says "<error number, 0: hang> <word>"; without it nothing happens. */
static int refuses(const char *path) {
  for (;;) {
    char text[2048] = "";
    long fd = syscall(SYS_openat, AT_FDCWD, getenv("MFI_FILE_FAULT"), O_RDONLY, 0);
    if (fd < 0) return 0;
    long got = syscall(SYS_read, fd, text, sizeof(text) - 1);
    syscall(SYS_close, fd);
    if (got <= 0 || path == NULL) return 0;
    char *rest = NULL, *line = strtok_r(text, "\n", &rest);
    while (line != NULL && strstr(path, strchr(line, ' ') + 1) == NULL) line = strtok_r(NULL, "\n", &rest);
    if (line == NULL) return 0;
    int error = atoi(line);
    if (error != 0) {
      errno = error;
      return 1;
    }
    struct timespec piece = {0, 20000000};
    nanosleep(&piece, NULL);
  }
}

static int refuses_to(const char *what, const char *path) {
  char text[8192];
  snprintf(text, sizeof(text), "%s of %s;", what, path);
  return refuses(text);
}

static int refuses_fsync(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof(path) - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return refuses_to("fsync", path);
}

#define REAL(name) ((__typeof__(&name)) dlsym(RTLD_NEXT, #name))
#define MODE(flags) \
  mode_t mode = 0; \
  if ((flags) & (O_CREAT | O_TMPFILE)) { \
    va_list rest; \
    va_start(rest, flags); \
    mode = va_arg(rest, mode_t); \
    va_end(rest); \
  }

int open(const char *path, int flags, ...) { MODE(flags) return refuses(path) ? -1 : (int) syscall(SYS_openat, AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return refuses(path) ? -1 : (int) syscall(SYS_openat, AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags) return refuses(path) ? -1 : (int) syscall(SYS_openat, at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags) return refuses(path) ? -1 : (int) syscall(SYS_openat, at, path, flags, mode); }
DIR *opendir(const char *path) { return refuses(path) ? NULL : REAL(opendir)(path); }
int stat(const char *restrict path, struct stat *restrict s) { return refuses(path) ? -1 : REAL(stat)(path, s); }
int lstat(const char *restrict path, struct stat *restrict s) { return refuses(path) ? -1 : REAL(lstat)(path, s); }
int statvfs(const char *restrict path, struct statvfs *restrict s) { return refuses(path) ? -1 : REAL(statvfs)(path, s); }
int fsync(int fd) { return refuses_fsync(fd) ? -1 : (int) syscall(SYS_fsync, fd); }
int rename(const char *from, const char *to) { return refuses_to("rename", from) ? -1 : REAL(rename)(from, to); }
int access(const char *path, int mode) { return refuses(path) ? -1 : REAL(access)(path, mode); }
C

sub new
{
	my ($class) = @_;
	my $directory = PostgreSQL::Test::Utils::tempdir;
	my $self = bless { file => "$directory/fault", library => "$directory/fault.so" }, $class;
	append_to_file("$directory/fault.c", $source);
	system_or_bail('cc', '-shared', '-fPIC', '-o', $self->{library}, "$directory/fault.c", '-ldl');
	return $self;
}

# Paths with this word stand still from now on, or fail with this error number.
sub hang { my ($self, $word) = @_; return $self->refuse($word, 0) }

# refuse(WORD => ERROR, ...): any number of words
sub refuse
{
	my ($self, %errors) = @_;
	append_to_file("$self->{file}.new", join '', map { "$errors{$_} $_\n" } sort keys %errors);
	rename "$self->{file}.new", $self->{file} or die $!;
	return;
}

sub end { my ($self) = @_; return unlink $self->{file} }

sub start
{
	my ($self, $node) = @_;
	local $ENV{LD_PRELOAD} = $self->{library};
	local $ENV{MFI_FILE_FAULT} = $self->{file};
	$node->start;
	return;
}

1;
