# A drill on the standby compares what it recovers with a proven backup of the primary, too, taken while others write:
# rows that the standby has lost, and its own count cannot miss, are missed by that.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use IPC::Run ();
use MfiPair qw(pair catch_up);
use MfiRecovery qw(receive await_drill drills bases);
use PostgreSQL::Test::Utils qw(append_to_file);
use Test::More;

my ($primary, $standby) = pair(conf => "summarize_wal = on\nmax_worker_processes = 16\nmfi.backup_verify = restore\n");
$primary->sql(q{CREATE TABLE ledger (id int PRIMARY KEY, note text); INSERT INTO ledger SELECT i, 'as it was ' || i FROM generate_series(1, 1000) i;
	CREATE TABLE clicks (id bigserial PRIMARY KEY, kind text); CREATE SEQUENCE downwards INCREMENT -7; CREATE SEQUENCE around MAXVALUE 50 CYCLE});
$standby->append_conf('postgresql.conf', "mfi.backup_directory = '@{[ $primary->backups ]}'");
receive($standby);
my $drill = await_drill($standby);
is($drill->{result}, 'ok', 'the first drill compares with what this node held') or diag($drill->{error});
is($drill->{backup}, undef, 'as there is no proven backup yet');

# Rows come, change and go, in subtransactions that are kept and given up; one commits whenever a snapshot may be taken.
my $load = $primary->basedir . '/load.sql';
append_to_file($load, <<'SQL' x 20_000);
BEGIN; INSERT INTO clicks (kind) VALUES ('a'); SAVEPOINT s; INSERT INTO clicks (kind) VALUES ('kept'); RELEASE s; SAVEPOINT u; INSERT INTO clicks (kind) VALUES ('not kept'); ROLLBACK TO u; UPDATE clicks SET kind = kind || 'b' WHERE id % 17 = (random() * 17)::int; DELETE FROM clicks WHERE id % 101 = (random() * 101)::int; SELECT nextval('downwards'), nextval('around'); COMMIT;
SQL
my @writers = map { IPC::Run::start([ 'psql', '-XqAt', '-d', $primary->connstr('mfi_banking'), '-f', $load ], '<', \'', '>', '/dev/null', '2>', '/dev/null') } 1 .. 2;
$primary->wait_sql('SELECT count(*) > 100 FROM clicks');

for my $round (1 .. ($ENV{MFI_LONG} ? 20 : 2))
{
	my $id = $primary->backup_ok;
	is($standby->sql('SELECT mfi_recovery_drill()'), 'ok', "round $round: a drill");
	$drill = (drills($standby))[-1];
	is($drill->{backup}, $id, 'has compared with the newest proven backup');
	like($drill->{reference}, qr/^what this node held, and what backup \Q$id\E has$/, 'and says so');
}
is($standby->sql('SELECT mfi_recovery_drill()'), 'ok', 'another drill');
is((drills($standby))[-1]->{backup}, undef, 'does not compare with the same backup again');
$_->kill_kill for @writers;

# The standby loses a table: what it has, and bases made of it, agree.
my $file = $standby->sql(q{SELECT pg_relation_filepath('ledger')});
$primary->safe_psql('postgres', 'CHECKPOINT');
catch_up($primary, $standby);
$standby->safe_psql('postgres', 'CHECKPOINT');
$standby->stop;
truncate($standby->data_dir . "/$file", 0) or die "$file: $!";
$standby->start;
is($standby->sql('SELECT count(*) FROM ledger'), 0, 'the standby has lost a table');
$standby->sql('SELECT mfi_recovery_base_now(true)');
$primary->backup_ok;
my ($code, $out, $err) = $standby->psql('mfi_banking', 'SELECT mfi_recovery_drill()');
my $said = qr/by backup \S+, from base \S+: table public\.ledger: fewer rows restored than the 1000 in the source/;
like("$out$err", $said, 'the drill names the table, by the backup');
like($standby->sql(q{SELECT verdict, reasons::text FROM mfi_health('recovery')}), qr/^critical\|.*recovery-drill-failed.*$said/, 'and the verdict is critical');
$standby->stop;
$primary->stop;
done_testing();
