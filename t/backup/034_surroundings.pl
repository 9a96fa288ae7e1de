# What surrounds the dump: settings of roles and databases, a pg_hba.conf that refuses, no free worker.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $node = MfiNode->bank('bank');
my $superuser = $node->sql('SELECT rolname FROM pg_roles WHERE oid = 10');
$node->sql('CREATE ROLE dba LOGIN SUPERUSER');

# Settings that would end or distort a dump, on the role and on the database.
$node->sql('CREATE TABLE guarded (v int); INSERT INTO guarded VALUES (1); CREATE TABLE wide AS SELECT chr(8594) AS v; ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;'
	  . 'ALTER TABLE guarded FORCE ROW LEVEL SECURITY');
for my $who ("ROLE $superuser", 'DATABASE mfi_banking')
{
	$node->safe_psql('postgres', join ';', map { "ALTER $who SET $_" } 'statement_timeout = 1', 'lock_timeout = 1',
		'idle_in_transaction_session_timeout = 1', 'transaction_timeout = 1', 'default_transaction_read_only = on',
		'row_security = off', "search_path = 'trap', 'pg_catalog'", "DateStyle = 'German'", "client_encoding = 'LATIN1'",
		'default_transaction_isolation = serializable', 'default_transaction_deferrable = on', 'role = pg_monitor',
		'extra_float_digits = 0', 'enable_seqscan = off', 'standard_conforming_strings = off');
	my @as_dba = (extra_params => [ '-U', 'dba' ]);
	local $ENV{PGOPTIONS} = '-c statement_timeout=0 -c lock_timeout=0 -c transaction_timeout=0 -c role=none -c search_path=public';
	for my $attempt (1 .. 3)
	{
		my ($status, $out, $err) = $node->psql('mfi_banking', 'SELECT mfi_backup_now(wait => true)', @as_dba);
		is($err, '', "settings of $who, attempt $attempt: a backup succeeds");
	}
	$node->safe_psql('postgres', "ALTER $who RESET ALL", @as_dba);
}
$node->recovers_ok('settings reset');

# Refused by pg_hba.conf: the error has the line to add.
my $hba = slurp_file($node->data_dir . '/pg_hba.conf');
open(my $file, '>', $node->data_dir . '/pg_hba.conf') or die;
print $file "local mfi_banking $superuser reject\n$hba";
close $file;
$node->reload;
my ($status, $out, $err) = $node->psql('mfi_banking', 'SELECT mfi_backup_now(wait => true)', extra_params => [ '-U', 'dba' ]);
like($err, qr/the backup could not log in: .*pg_hba.conf rejects connection.*\(pg_hba.conf must begin with the line "local all $superuser peer"/s,
	'a refused login quotes the line to add');
open($file, '>', $node->data_dir . '/pg_hba.conf') or die;
print $file $hba;
close $file;
$node->reload;
$node->recovers_ok('login refused');

# All workers are taken: by the launcher itself.
$node->append_conf('postgresql.conf', "max_worker_processes = 1\nmax_logical_replication_workers = 0");
$node->restart;
$node->launcher_ready;
like($node->error('SELECT mfi_backup_now(wait => true)'),
	qr/no background worker is free for the backup \(raise max_worker_processes and restart\)/, 'no free worker: told');
is($node->sql('SELECT state, error FROM mfi_backups LIMIT 1'),
	'failed|no background worker is free for the backup (raise max_worker_processes and restart)', 'no free worker: the record');
$node->append_conf('postgresql.conf', 'max_worker_processes = 8');
$node->restart;
$node->recovers_ok('no free worker');
$node->stop;
done_testing();
