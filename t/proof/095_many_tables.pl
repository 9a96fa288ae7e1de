# Databases of thousands of tables: what room for locks they need is said before, then they are backed up, proven, and restored on a server
# that knows nothing of them.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiFresh;
use MfiNode;
use Test::More;
use Time::HiRes qw(time);

my @sizes = $ENV{MFI_LONG} ? (3000, 20_000) : (1000);

my $node = MfiNode->prepared('bank', database => 'many', conf => "mfi.backup_verify = 'restore'\nautovacuum = off\nmax_connections = 10\nmax_locks_per_transaction = 32\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION mfi CASCADE');
my $fresh = MfiFresh::fresh('fresh', "autovacuum = off\n");

# A tenth are partitions, which get their rows through the root, and a few of them by an enum, where they go to other leaves.
sub make
{
	my ($tables) = @_;
	my $parts = $tables / 10;
	$node->safe_psql('postgres', 'DROP DATABASE IF EXISTS many WITH (FORCE)');
	$node->safe_psql('postgres', 'CREATE DATABASE many');
	$node->safe_psql('many', <<"SQL");
SELECT format('CREATE TABLE t%s (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text UNIQUE); INSERT INTO t%1\$s (v) VALUES (%1\$L), (md5(%1\$L))', i) FROM generate_series(1, $tables - $parts - 16) i \\gexec
CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
SELECT format('CREATE TABLE p%s PARTITION OF p FOR VALUES FROM (%s) TO (%s)', i, i * 10, i * 10 + 10) FROM generate_series(1, $parts - 2) i \\gexec
INSERT INTO p SELECT i, md5(i::text) FROM generate_series(10, 10 * ($parts - 1) - 1) i;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE h (m mood) PARTITION BY HASH (m);
SELECT format('CREATE TABLE h%s PARTITION OF h FOR VALUES WITH (MODULUS 16, REMAINDER %1\$s)', i) FROM generate_series(0, 15) i \\gexec
INSERT INTO h SELECT (enum_range(NULL::mood))[1 + i % 3] FROM generate_series(1, 30) i;
SQL
	return $node->safe_psql('many', q(SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace));
}

my $began;
sub took { my ($what) = @_; note sprintf '%s: %.1f s', $what, time - $began; $began = time; return }

for my $tables (@sizes)
{
	$began = time;
	is(make($tables), $tables, "$tables tables");
	took("made $tables tables");
	my ($status, undef, $error) = $node->psql('postgres', 'SELECT mfi_backup_now(wait => true)');
	my ($locks) = $error =~ /ERROR: .*the backup locks $tables tables, and the server has room for about \d+ locks.*ALTER SYSTEM SET max_locks_per_transaction = (\d+)/s;
	ok($locks, "$tables tables: more than there is room for, with the way out") or diag($error);
	took('refused');
	$node->append_conf('postgresql.conf', 'max_locks_per_transaction = ' . ($locks // 10 * $tables));
	$node->restart;
	$began = time;
	my $id = $node->safe_psql('postgres', 'SELECT mfi_backup_now(wait => true)');
	took("backed up and proven");
	is($node->safe_psql('postgres', "SELECT state, verify_method, verify_result, error FROM mfi_backups WHERE id = '$id'"),
		"succeeded|restore|ok|", "$tables tables: proven, with nothing to remark");
	my $more_locks = sub {
		for my $server ($fresh, $node)
		{
			$server->append_conf('postgresql.conf', "max_locks_per_transaction = @{[ $tables / 4 ]}");
			$server->restart;
		}
	};
	MfiFresh::restored_ok("$tables tables", $fresh, $node, 'many', $node->backups . "/$id", $tables > 10_000 ? $more_locks : undef);
	took('restored and compared');
	MfiFresh::drop($fresh, 'many');
}
$_->stop for $fresh, $node;
done_testing();
