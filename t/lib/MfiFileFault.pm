package MfiFileFault;

# A file system that hangs, or refuses to be written, for the servers started by it: whatever names a path with a given word in it
# stands still, or fails with an error number, for as long as a test says so.

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

/* The gate file says "<error number, 0: hang> <word>"; without it nothing happens. */
static int refuses(const char *path) {
  for (;;) {
    char text[512] = "";
    long fd = syscall(SYS_openat, AT_FDCWD, getenv("MFI_FILE_FAULT"), O_RDONLY, 0);
    if (fd < 0) return 0;
    long got = syscall(SYS_read, fd, text, sizeof(text) - 1);
    syscall(SYS_close, fd);
    if (got <= 0 || path == NULL) return 0;
    char *word = strchr(text, ' ');
    if (word == NULL || strstr(path, word + 1) == NULL) return 0;
    int error = atoi(text);
    if (error != 0) {
      errno = error;
      return 1;
    }
    struct timespec piece = {0, 20000000};
    nanosleep(&piece, NULL);
  }
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

sub refuse
{
	my ($self, $word, $error) = @_;
	append_to_file("$self->{file}.new", "$error $word");
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
