# The scratch server's sandbox on real servers: code that a superuser has put into the database, in C, finds no way out of it;
# where the kernel has no such walls, such objects are not restored and the verdict says why.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use IO::Socket::INET;
use MfiNode;
use Digest::SHA;
use JSON::PP ();
use MfiShim qw(install_with);
use PostgreSQL::Test::Utils qw(slurp_file slurp_dir system_or_bail);
use Test::More;

my $path = install_with();
my $build = PostgreSQL::Test::Utils::tempdir;

# Libraries of its own, and one more: each attempt that succeeds is named.
my $bindir = readlink("$path/lib");
unlink "$path/lib";
mkdir "$path/lib" or die $!;
symlink("$bindir/$_", "$path/lib/$_") or die $! for grep { !/^\.+$/ } slurp_dir($bindir);
open(my $source, '>', "$build/escape.c") or die $!;
my $escaped = "mfi-esc$$";    # a process's name, of 15 characters at most
print $source <<'C' =~ s/mfi-escaped/$escaped/r;
#include "postgres.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
PG_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(escapes);
static bool opens(const char *file, int flags) { int fd = open(file, flags, 0600); if (fd >= 0) close(fd); return fd >= 0; }
static bool connects(int family, const void *address, socklen_t size)
{ int fd = socket(family, SOCK_STREAM, 0); bool done = fd >= 0 && connect(fd, address, size) == 0; if (fd >= 0) close(fd); return done; }
#define TRY(name, what) do { if (what) { strcat(out, name); strcat(out, ", "); } } while (0)
/* escapes(socket, data directory, backup directory, TCP port, process) */
Datum escapes(PG_FUNCTION_ARGS)
{
	static char out[1024];
	char *sock = text_to_cstring(PG_GETARG_TEXT_PP(0)), *data = text_to_cstring(PG_GETARG_TEXT_PP(1)), *backups = text_to_cstring(PG_GETARG_TEXT_PP(2));
	pid_t process = PG_GETARG_INT32(4);
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	struct sockaddr_in tcp = {.sin_family = AF_INET, .sin_port = htons(PG_GETARG_INT32(3)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	pid_t child;
	out[0] = 0;
	strlcpy(local.sun_path, sock, sizeof(local.sun_path));
	TRY("live socket", connects(AF_UNIX, &local, sizeof(local)));
	TRY("TCP", connects(AF_INET, &tcp, sizeof(tcp)));
	TRY("data directory", opens(psprintf("%s/PG_VERSION", data), O_RDONLY) || opens(psprintf("%s/marker", data), O_WRONLY | O_CREAT) || chmod(data, 0700) + chown(data, geteuid(), -1) == 0);
	TRY("backup directory", opens(backups, O_RDONLY | O_DIRECTORY) || opens(psprintf("%s/marker", backups), O_WRONLY | O_CREAT));
	TRY("marker file", opens("/tmp/mfi-escape-marker", O_WRONLY | O_CREAT) || opens("/var/tmp/mfi-escape-marker", O_WRONLY | O_CREAT));
	TRY("signal", kill(process, 0) == 0);
	TRY("/proc", opens(psprintf("/proc/%d/environ", process), O_RDONLY) || opens("/proc/self/status", O_RDONLY));
	TRY("/dev/shm", opens("/dev/shm/mfi-escape-marker", O_RDWR | O_CREAT));
	TRY("program", system("exit 0") == 0);
	child = fork();
	if (child == 0)
	{
		setsid();
		for (int n = 1; n < 32; ++n) signal(n, SIG_IGN);
		prctl(PR_SET_PDEATHSIG, 0);
		prctl(PR_SET_NAME, "mfi-escaped");
		for (int n = 0; n < 1024; ++n) close(n);
		for (;;) pause();
	}
	PG_RETURN_TEXT_P(cstring_to_text(out));
}
C
close $source;
chomp(my $include = `pg_config --includedir-server`);
system_or_bail('cc', '-shared', '-fPIC', '-Wno-unused-result', "-I$include", '-D_GNU_SOURCE', "$build/escape.c", '-o', "$path/lib/mfi_escape.so");

my $node = MfiNode->bank('bank', install_path => $path, conf => "mfi.backup_verify = 'restore'\n");
my $listener = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die $!;
my $targets = join ', ', "'" . $node->host . '/.s.PGSQL.' . $node->port . "'", "'" . $node->data_dir . "'", "'" . $node->backups . "'",
  $listener->sockport, "$$";
$node->sql(<<"SQL");
CREATE ROLE teller LOGIN; CREATE SCHEMA app AUTHORIZATION teller;
CREATE FUNCTION app.escapes(text, text, text, int, int) RETURNS text LANGUAGE c AS '\$libdir/mfi_escape', 'escapes';
SET SESSION AUTHORIZATION teller;
CREATE FUNCTION app.check_escapes() RETURNS boolean LANGUAGE plpgsql AS \$\$
DECLARE
  found text;
BEGIN
  IF current_setting('port') = '5432' THEN found := app.escapes($targets); END IF;
  IF found <> '' THEN RAISE EXCEPTION 'escaped: %', found; END IF;
  RETURN true;
END \$\$;
CREATE TABLE app.t (v int CHECK (app.check_escapes())); INSERT INTO app.t VALUES (1);
SQL
like($node->sql("SELECT app.escapes($targets)"), qr/^live socket, TCP, data directory, backup directory, marker file, signal, \/proc, \/dev\/shm, program, $/,
	'on the source, the program that the test puts there can do all of it');
unlink $_ for glob('/tmp/mfi-escape-marker /var/tmp/mfi-escape-marker /dev/shm/mfi-escape-marker'), map { "$_/marker" } $node->data_dir, $node->backups;
sub escaped
{
	my @found;
	for my $process (grep { /^\d+$/ } slurp_dir('/proc'))
	{
		open(my $file, '<', "/proc/$process/comm") or next;
		my $name = <$file> // '';
		push @found, $process if $name eq "$escaped\n";
	}
	return @found;
}
$node->wait_until('what it left on the source', sub { return kill 'KILL', escaped() });
$node->wait_until('its end', sub { return !escaped() });

my $id = $node->backup;
$node->wait_sql("SELECT finished_at IS NOT NULL FROM mfi_backups WHERE id = '$id'");
my ($method, $result, $walls) = split /\|/, $node->run($id, 'verify_method, verify_result, proof_sandbox');
if ($walls eq 'whole')
{
	is("$method $result", 'restore ok', 'in the scratch server none of it succeeds') or diag(map { slurp_file($_) } glob($node->backups . '/.runs/*.log'));
}
else
{
	is("$method $result", 'list ok', "this kernel's walls are not whole ($walls): it is only read");
}
ok(!-e $_, "no $_") for '/tmp/mfi-escape-marker', '/var/tmp/mfi-escape-marker', '/dev/shm/mfi-escape-marker', $node->data_dir . '/marker', $node->backups . '/marker';
is(join(' ', escaped()), '', 'what left its session has ended with the scratch server');

# A proof that a check keeps waiting has a limit of its own.
$node->sql(q{SET SESSION AUTHORIZATION teller; CREATE FUNCTION app.wait() RETURNS boolean LANGUAGE plpgsql AS
	$$BEGIN IF current_setting('port') = '5432' THEN PERFORM pg_sleep(3600); END IF; RETURN true; END$$; CREATE TABLE app.slow (v int CHECK (app.wait())); INSERT INTO app.slow VALUES (1)});
$node->set('mfi.proof_timeout' => q('3s'));
$id = $node->backup_ok;
like($node->run($id, 'state, verify_method, verify_result, error'),
	qr/^succeeded\|restore\|\|the backup could not be proven: the verification took longer than mfi.proof_timeout \(3 s\)/, 'mfi.proof_timeout ends the proof, and the set stays');
$node->set('mfi.proof_timeout' => q('1h'));
$node->sql('DROP TABLE app.slow');
$node->stop;

# A kernel without Landlock: the call is not there.
open($source, '>', "$build/no_landlock.c") or die $!;
print $source <<'C';
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	struct sock_filter f[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 444, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog p = { sizeof(f) / sizeof(*f), f };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p)) return 125;
	execv(argv[1], argv + 1);
	return 126;
}
C
close $source;
system_or_bail('cc', "$build/no_landlock.c", '-o', "$build/no_landlock");
rename "$path/bin/pg_ctl", "$path/bin/pg_ctl.real" or die $!;
MfiShim::replace($path, 'pg_ctl', qq{exec $build/no_landlock $path/bin/pg_ctl.real "\$@"});
$node->start;
$node->launcher_ready;
$id = $node->backup_ok;
like($node->run($id, 'verify_method, verify_result, error'), qr/^restore\|\|the backup could not be proven: only a superuser may restore FUNCTION app escapes\(/,
	'without Landlock, a C function is only listed, by name');
like($node->sql(q{SELECT verdict, reasons FROM mfi_health('backup')}), qr/^warning.*proof-unsandboxed: the sandbox around the proof of $id is not whole: the kernel has no Landlock/,
	'and the verdict warns');
$node->sql('DROP TABLE app.t; DROP FUNCTION app.escapes');
$id = $node->backup_ok;
is($node->run($id, 'verify_method, verify_result, error'), 'restore|ok|', 'without objects of superusers it is proven all the same');
like($node->run($id, 'proof_sandbox'), qr/^the kernel has no Landlock/, 'and its record says which wall was missing');
unlike($node->sql(q{SELECT reasons FROM mfi_health('backup')}), qr/backup-not-proven/, 'no false alarm');

# A set that somebody has written by hand gets no further there: neither by its roles nor by what stands among its superuser's statements.
$node->sql(qq{SET SESSION AUTHORIZATION teller; CREATE FUNCTION app.climbs() RETURNS boolean LANGUAGE plpgsql AS \$\$
DECLARE
	way text;
BEGIN
	IF current_setting('port') <> '5432' THEN RETURN true; END IF;
	FOREACH way IN ARRAY ARRAY['SET ROLE mfi_scratch_owner', 'SET ROLE pg_execute_server_program', 'SET SESSION AUTHORIZATION mfi_scratch_owner', 'COPY (SELECT 1) TO PROGRAM ''cat >$build/marker''', 'COPY (SELECT 1) TO ''$build/marker'''] LOOP
		BEGIN EXECUTE way; EXCEPTION WHEN OTHERS THEN NULL; END;
	END LOOP;
	RESET ROLE;
	RETURN true;
END \$\$; CREATE TABLE app.climber (v int CHECK (app.climbs())); INSERT INTO app.climber VALUES (1)});
chmod 0777, $build;
$id = $node->backup_ok;
my $set = $node->backups . "/$id";
my %kept = map { $_ => slurp_file("$set/$_") } 'manifest.json', 'globals.sql', 'mfi_banking.dump';
sub written_by_hand
{
	my ($name, $file, $content, $expected) = @_;
	my %files = (%kept, $file => $content);
	my $manifest = JSON::PP->new->decode($kept{'manifest.json'});
	for my $listed (@{ $manifest->{files} })
	{
		@$listed{ 'bytes', 'sha256' } = (length $files{ $listed->{name} }, Digest::SHA::sha256_hex($files{ $listed->{name} }));
	}
	$files{'manifest.json'} = JSON::PP->new->pretty->encode($manifest);
	for (keys %files)
	{
		open(my $out, '>', "$set/$_") or die;
		print $out $files{$_};
		close $out;
	}
	like(($node->psql($node->database, "SELECT mfi_backup_verify('$id')"))[1], $expected, $name);
	ok(!-e "$build/marker", "$name: nothing ran");
	return;
}
written_by_hand('a membership in the scratch server\'s superuser', 'globals.sql', "$kept{'globals.sql'}GRANT mfi_scratch_owner TO teller; GRANT mfi_scratch_owner TO mfi_restorer; GRANT pg_execute_server_program TO teller;\n", qr/^ok$/);
my %of = (
	EXTENSION => "CREATE EXTENSION IF NOT EXISTS mfi WITH SCHEMA public;\n",
	COMMENT => "COMMENT ON EXTENSION mfi IS '[^']*';\n");
for my $kind (sort keys %of)
{
	my $dump = $kept{'mfi_banking.dump'};
	my $stated = $dump =~ /($of{$kind})/ ? $1 : die "no $kind";
	my $grown = $stated . "COPY (SELECT 1) TO PROGRAM 'cat >$build/marker';\n";
	$dump =~ s/\Q@{[ pack('CV', 0, length $stated) . $stated ]}/@{[ pack('CV', 0, length $grown) ]}$grown/ or die;
	written_by_hand("a statement more under $kind", 'mfi_banking.dump', $dump, qr/the archive has under $kind .* a statement that pg_dump does not write there/);
}
$node->stop;
done_testing();
