# What stands around a server and is no business of its backups: libpq's variables in its environment, a file system without
# links, libraries that do not load elsewhere, sequences that go round while the dump reads them.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use PostgreSQL::Test::Utils qw(run_log slurp_dir);
use Test::More;

my $node = MfiNode->bank('bank', conf => "mfi.backup_verify = 'restore'\n");

sub proven
{
	my ($name, $remark) = @_;
	my $id = $node->backup_ok;
	is($node->run($id, 'state, verify_method, verify_result'), 'succeeded|restore|ok', "$name: proven");
	like($node->run($id, 'error'), $remark // qr/^$/, "$name: what it tells");
	return $id;
}

# Restarted with variables in its environment that this test itself does not have.
sub restart_with
{
	my (%variables) = @_;
	local @ENV{ keys %variables } = values %variables;
	$node->stop;
	# pg_ctl asks for the server by the same variables, so it does not wait for it.
	run_log([ 'pg_ctl', '--no-wait', '--pgdata', $node->data_dir, '--log', $node->logfile, 'start' ]) or die 'no start';
	delete local @ENV{ keys %variables };
	$node->wait_until('the server is there', sub { $node->psql('postgres', 'SELECT 1') == 0 });
	$node->_update_pid(1);
	$node->launcher_ready;
	return;
}

my $services = $node->basedir . '/services';
open(my $file, '>', $services) or die $!;
print $file "[elsewhere]\nhost=192.0.2.7\nport=1\nuser=nobody\noptions=-c statement_timeout=1\n";
close $file;
my %libpq = (
	PGHOSTADDR => '192.0.2.1', PGHOST => '192.0.2.2', PGSERVICE => 'elsewhere', PGSERVICEFILE => $services, PGREQUIREAUTH => 'scram-sha-256', PGTARGETSESSIONATTRS => 'read-only',
	PGOPTIONS => '-c statement_timeout=1 -c default_transaction_read_only=on', PGSSLMODE => 'verify-full', PGSSLROOTCERT => '/nonexistent', PGPASSFILE => '/nonexistent', PGPASSWORD => 'x', PGUSER => 'nobody',
	PGDATABASE => 'nothing', PGCHANNELBINDING => 'require', PGGSSENCMODE => 'require', PGCONNECT_TIMEOUT => '1', PGAPPNAME => 'x', PGLOADBALANCEHOSTS => 'random', PGSSLNEGOTIATION => 'direct', PGREQUIREPEER => 'nobody', PGKRBSRVNAME => 'x', PGSYSCONFDIR => $node->basedir);
restart_with(%libpq);
is($node->sql(q{CREATE TEMP TABLE seen (v text); COPY seen FROM PROGRAM 'printenv PGHOSTADDR PGSERVICE'; SELECT string_agg(v, ' ') FROM seen}), '192.0.2.1 elsewhere', 'the server has them in its environment');
proven("libpq's variables in the server's environment");
for my $name (qw(PGHOSTADDR PGOPTIONS PGREQUIREAUTH PGSERVICE PGTARGETSESSIONATTRS))
{
	restart_with($name => $libpq{$name});
	proven("$name alone");
}

# symlink() as a share without links answers it.
my $shim = $node->basedir . '/no_links';
open($file, '>', "$shim.c") or die $!;
print $file "#include <errno.h>\nint symlink(const char *target, const char *path) { (void)target; (void)path; errno = EPERM; return -1; }\n";
close $file;
run_log([ 'gcc', '-shared', '-fPIC', '-o', "$shim.so", "$shim.c" ]) or die 'no shim';
restart_with(LD_PRELOAD => "$shim.so");
my $id = proven('a file system without links', qr/^the link ".*" could not be set/);
ok(-s $node->backups . "/$id/manifest.json", 'its set stays');
restart_with(PGAPPNAME => 'x');

# A library that starts here and not in the sandbox, which reads no file of others.
my $directory = $node->basedir . '/libraries';
mkdir $directory or die $!;
open($file, '>', "$directory/odd.c") or die $!;
print $file qq{#include "postgres.h"\n#include "fmgr.h"\nPG_MODULE_MAGIC;\nvoid _PG_init(void);\nvoid _PG_init(void) {}\n};
close $file;
my $include = qx(pg_config --includedir-server) =~ s/\n//r;
run_log([ 'gcc', '-shared', '-fPIC', "-I$include", '-o', "$directory/odd.so", "$directory/odd.c" ]) or die 'no library';
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'mfi, $directory/odd'");
restart_with(PGAPPNAME => 'x');
proven('a library that does not load in the sandbox', qr/^the scratch server did not start with .*odd.* preloaded, so nothing was$/);
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'mfi'\nlc_monetary = 'C'");
restart_with(PGAPPNAME => 'x');

# Sequences that go round all the time.
$node->sql('CREATE SEQUENCE round MINVALUE -2 MAXVALUE 3 CYCLE; CREATE SEQUENCE back INCREMENT -1 MINVALUE -3 MAXVALUE -1 CYCLE; CREATE TABLE lot (id smallint GENERATED ALWAYS AS IDENTITY (MAXVALUE 4 CYCLE))');
my $busy = $node->background_psql('mfi_banking', on_error_stop => 0);
$busy->query_until(qr/begun/, "\\echo begun\nDO \$\$ BEGIN LOOP PERFORM nextval('round'), nextval('back'), nextval('lot_id_seq'); COMMIT; END LOOP; END \$\$;\n");
proven("a sequence that goes round, $_") for 1 .. 4;
$node->sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'DO %'});
eval { $busy->quit };

$node->stop;
done_testing();
