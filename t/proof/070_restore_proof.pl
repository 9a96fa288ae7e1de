# A backup is proven by restoring it: everything that a dump can silently lose is found and named, nothing that a
# database may hold raises a false alarm, and the scratch server is never left behind.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use IPC::Run ();
use MfiNode;
use MfiShim qw(install_with replace while_there);
use PostgreSQL::Test::Utils qw(slurp_file slurp_dir);
use Test::More;

my $path = install_with();
my $node = MfiNode->bank('bank', install_path => $path, initdb => ['--encoding=UTF8', '--locale=C'], conf => "mfi.backup_verify = 'restore'\nrestart_after_crash = on\n");
my $scratch = $node->basedir;
my $connect = '-h ' . $node->host . ' -p ' . $node->port . ' -X -q -d mfi_banking';

sub scratch_is_gone
{
	my ($name) = @_;
	$node->wait_until('the scratch server is gone', sub {
		!grep { /^mfi-scratch/ } slurp_dir($scratch);
	});
	my $begin = time;
	$node->wait_until('its processes are gone', sub { !grep { /mfi-scratch/ } commands() });
	cmp_ok(time - $begin, '<', 15, "$name: no process of a scratch server is left");
	return;
}

# The command lines of all processes that work on this node.
sub commands { return map { slurp_command($_) } grep { /^\d+$/ } slurp_dir('/proc') }

sub slurp_command
{
	my ($pid) = @_;
	open(my $file, '<', "/proc/$pid/cmdline") or return '';
	my $text = do { local $/; <$file> } // '';
	return index($text, $scratch) >= 0 ? $text =~ tr/\0/ /r : '';
}

# What people keep in databases.
$node->sql(<<'SQL');
CREATE EXTENSION pg_trgm; CREATE EXTENSION file_fdw; CREATE EXTENSION hstore;
CREATE ROLE "Häuptling ""x"""; CREATE ROLE teller; CREATE ROLE lead; GRANT lead TO teller;
CREATE SCHEMA "odd schema;"; CREATE TABLE "odd schema;"."tab'le ""name""
with newline" (id int);
INSERT INTO "odd schema;"."tab'le ""name""
with newline" SELECT generate_series(1, 7);
CREATE TABLE loose (v int); INSERT INTO loose VALUES (-1); ALTER TABLE loose ADD CONSTRAINT positive CHECK (v > 0) NOT VALID;
SELECT lo_from_bytea(0, 'scan of a passport'), lo_from_bytea(0, 'another');
CREATE MATERIALIZED VIEW summary AS SELECT count(*) FROM portals;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE outside (line text) SERVER files OPTIONS (filename '/nonexistent');
CREATE TABLE guarded (owner text); INSERT INTO guarded VALUES ('a'), ('b');
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; ALTER TABLE guarded FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON guarded TO teller USING (owner = current_user); GRANT SELECT ON guarded TO teller;
CREATE UNLOGGED TABLE cache (v int); INSERT INTO cache SELECT generate_series(1, 100);
CREATE COLLATION phonebook (provider = icu, locale = 'de-u-co-phonebk'); CREATE TABLE names (n text COLLATE phonebook);
INSERT INTO names VALUES ('Göbel'), ('Goethe'); CREATE INDEX ON names (n);
CREATE SEQUENCE behind; CREATE TABLE numbered (id int DEFAULT nextval('behind')); INSERT INTO numbered VALUES (500);
CREATE SEQUENCE descending INCREMENT -5; SELECT nextval('descending'), nextval('descending');
CREATE TABLE parted (d date, v int) PARTITION BY RANGE (d);
CREATE TABLE parted_old PARTITION OF parted FOR VALUES FROM ('2020-01-01') TO ('2026-01-01');
INSERT INTO parted SELECT date '2025-01-01' + i, i FROM generate_series(1, 50) i;
CREATE TABLE parent (v int); CREATE TABLE child () INHERITS (parent); INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2), (3);
ALTER TABLE names OWNER TO teller; ALTER DEFAULT PRIVILEGES FOR ROLE lead GRANT SELECT ON TABLES TO teller;
SQL
my $tablespace = PostgreSQL::Test::Utils::tempdir;
$node->safe_psql('mfi_banking', "CREATE TABLESPACE elsewhere LOCATION '$tablespace'");
$node->sql('CREATE TABLE far_away (v int) TABLESPACE elsewhere; INSERT INTO far_away VALUES (1)');
$node->sql(q{ALTER ROLE postgres SET statement_timeout = '1h'; ALTER DATABASE mfi_banking SET default_transaction_read_only = off});

my $good = $node->backup_ok;
is($node->run($good, 'state, verify_method, verify_result, error'), 'succeeded|restore|ok|', 'all of it is proven, no false alarm');
is($node->sql("SELECT mfi_backup_verify('$good')"), 'ok', 'and proven again on request');
scratch_is_gone('after success');

# An ICU database with another encoding than the scratch server's own.
for my $options ("LOCALE_PROVIDER icu ICU_LOCALE 'de-DE' ENCODING 'UTF8'", "ENCODING 'LATIN1' LOCALE 'C'")
{
	$node->safe_psql('postgres', "CREATE DATABASE other TEMPLATE template0 $options");
	$node->safe_psql('other', q{CREATE TABLE t (v text); INSERT INTO t VALUES ('\xe4' || 'x')});
	my $kept = $node->database;
	$node->append_conf('postgresql.conf', "mfi.database = 'other'");
	$node->restart;
	$node->launcher_ready;
	like($node->safe_psql('mfi_banking', 'SELECT mfi_backup_now(wait => true)'), qr/^other_/, "a database with $options is proven");
	$node->append_conf('postgresql.conf', "mfi.database = '$kept'");
	$node->restart;
	$node->launcher_ready;
	$node->safe_psql('postgres', 'DROP DATABASE other');
}

# What a dump can lose without saying so. The archive argument of pg_dump is --file=...
my $archive = q{for a in "$@"; do case "$a" in --file=*) file=${a#--file=} ;; esac; done};
my $without_snapshot = q{args=(); for a in "$@"; do case "$a" in --snapshot=*) ;; *) args+=("$a") ;; esac; done};
my %lost = (
	'a truncated archive' => [ qq{real "\$@"; [ "\$1" != --version ] || exit 0; $archive; size=\$(stat -c %s "\$file"); truncate -s \$((size - 2000)) "\$file"},
		qr/pg_restore failed|cannot be read/ ],
	'a table without its data' => [ q{real "$@" --exclude-table-data=public.parted_old}, qr/table public\.parted_old has no data in the archive/ ],
	'one row' => [ qq{[ "\$1" != --version ] || { real "\$@"; exit 0; }; $without_snapshot; psql $connect -c 'DELETE FROM parted WHERE v = 17'; real "\${args[@]}"},
		qr/table public\.parted_old: fewer rows restored than the 50 in the source/ ],
	'a sequence set back' => [ qq{[ "\$1" != --version ] || { real "\$@"; exit 0; }; psql $connect -c "SELECT setval('activity_type_id_seq', 2)" >/dev/null; real "\$@"; psql $connect -c "SELECT setval('activity_type_id_seq', 10)" >/dev/null},
		qr/sequence public\.activity_type_id_seq is behind the source's, which is at 10/ ],
);
for my $name (sort keys %lost)
{
	my ($script, $expected) = @{ $lost{$name} };
	replace($path, 'pg_dump', $script);
	my $error = $node->error('SELECT mfi_backup_now(wait => true)');
	note($error);
	like($error, $expected, "$name: found and named");
	replace($path, 'pg_dump', undef);
	is($node->sql('SELECT state, path IS NULL FROM mfi_backups LIMIT 1'), 'failed|t', "$name: the run failed, nothing is under a good name");
	like($node->sql(q{SELECT reasons FROM mfi_health('backup')}), qr/last-backup-failed/, "$name: the verdict says so");
	$node->names_are_sets($name);
	is($node->run(readlink($node->backups . '/latest'), 'verify_result'), 'ok', "$name: latest is still a proven set");
}
my @aside = grep { /^\.failed-/ } slurp_dir($node->backups);
is(scalar(@aside), 3, 'each set that was published and then failed is kept under a hidden name');
scratch_is_gone('after failures');

# A set that changed since it was published.
my $id = $node->backup_ok;
my $file = $node->backups . "/$id/mfi_banking.dump";
open(my $handle, '+<', $file) or die $!;
seek($handle, (-s $file) / 2, 0);
read($handle, my $byte, 1);
seek($handle, (-s $file) / 2, 0);
print $handle chr(ord($byte) ^ 1);
close $handle;
is($node->sql("SELECT mfi_backup_verify('$id')"), 'file mfi_banking.dump has changed since it was published', 'one flipped bit');
like($node->sql("SELECT decision, reason FROM mfi_backup_retention_preview() WHERE id = '$id'"), qr/^keep\|kept: failed its verification/, 'retention fills no floor with it');
isnt(readlink($node->backups . '/latest'), $id, 'latest is not the changed set');
like($node->error("SELECT mfi_backup_verify('mfi_banking_20200101T000000Z')"), qr/there is no backup set/, 'an unknown set');

# Not enough room: nothing is proven, and said so.
$node->set('mfi.scratch_directory' => "'/proc'");
$id = $node->backup_ok;
is($node->run($id, 'state, verify_method, verify_result'), 'succeeded|restore|', 'no room for a restore: nothing is proven');
like($node->sql(q{SELECT reasons FROM mfi_health('backup')}), qr/backup-not-proven: .* the backup could not be proven/, 'and the verdict warns');
$node->set('mfi.scratch_directory' => "''");

# Stopped in the middle of the proof.
my $hold = PostgreSQL::Test::Utils::tempdir . '/hold';
replace($path, 'pg_restore', qq{case "\$1" in --jobs=*) @{[ while_there($hold) ]} ;; esac; real "\$@"});
my $busy;
sub in_the_proof
{
	open(my $out, '>', $hold) or die $!;
	close $out;
	my $run = $node->backup;
	$node->wait_state($run, 'verifying');
	$node->wait_until('the restore has begun', sub { grep { /--jobs=/ } commands() });
	# As busy as with an index of a large table: no session ends by itself.
	my ($socket) = map { /unix_socket_directories=(\S+)/ } commands();
	local @ENV{ 'PGHOST', 'PGPORT' } = ($socket, 5432);
	$busy->finish if $busy;
	my $said = '';
	$busy = IPC::Run::start([ 'psql', '-X', '-U', 'mfi_scratch_owner', '-d', 'postgres', '-c', q{SELECT 'begun'}, '-c', 'SELECT pg_sleep(3600)' ], '<', \'', '>', \$said, '2>', '/dev/null');
	$node->wait_until('the scratch server is busy', sub { $busy->pump_nb; $said =~ /begun/ });
	return $run;
}
sub proof_was_stopped
{
	my ($name, $run, $expected) = @_;
	unlink $hold;
	$node->launcher_ready;
	$node->wait_sql("SELECT state NOT IN ('queued', 'dumping', 'verifying') FROM mfi_backups WHERE id = '$run'");
	like($node->run($run, 'state, verify_result, path IS NOT NULL, error'), $expected, "$name: truthful record, the set stays unverified");
	scratch_is_gone($name);
	is($node->sql("SELECT mfi_backup_verify('$run')"), 'ok', "$name: the next proof, of the same set, succeeds");
}
$id = in_the_proof();
$node->sql("SELECT mfi_backup_cancel('$id')");
proof_was_stopped('cancel', $id, qr/^cancelled\|\|t\|cancelled by mfi_backup_cancel; the set is complete but not verified/);
$id = in_the_proof();
my $begin = time;
$node->stop('fast');
cmp_ok(time - $begin, '<', 15, 'a fast shutdown in the proof takes seconds');
unlink $hold;
$node->start;
proof_was_stopped('fast shutdown', $id, qr/^failed\|\|t\|interrupted: the server is shutting down/);
$id = in_the_proof();
$node->stop('immediate');
unlink $hold;
$node->start;
proof_was_stopped('immediate shutdown', $id, qr/^succeeded\|\|t\|/);
$id = in_the_proof();
kill 'KILL', $node->pid_of('mfi runner');
$node->wait_until('the server is back', sub { $node->psql('postgres', 'SELECT 1') == 0 });
proof_was_stopped('SIGKILL of the runner', $id, qr/^succeeded\|\|t\|/);

$busy->finish;
$node->stop;
done_testing();
