# The worker keeps audit partitions three months ahead, on the primary once the database is ready; months expire only when a
# proven backup holds them; the verdict speaks of rows outside of every month.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use MfiPair qw(pair catch_up);
use PostgreSQL::Test::Utils;
use Test::More;

my ($primary, $standby) = pair(conf => "mfi.backup_verify = restore\nlog_min_messages = log\n");

my $ahead = <<'SQL';
SELECT count(*) FROM unnest(_mfi_audit_tables()) AS name, generate_series(0, 3) AS further
 WHERE to_regclass(_mfi_partition_name(name, _mfi_month(now(), further))) IS NOT NULL
SQL
is($primary->sql($ahead), 16, 'a fresh schema has the current month and three more');

# What is missing is made: the launcher looks when it starts, and then every hour.
my $drop = <<'SQL';
DO $$ DECLARE name text; BEGIN
FOREACH name IN ARRAY _mfi_audit_tables() LOOP
  EXECUTE 'DROP TABLE ' || _mfi_partition_name(name, _mfi_month(now(), 1)) || ', ' || _mfi_partition_name(name, _mfi_month(now(), 3));
END LOOP; END $$
SQL
$primary->sql($drop);
catch_up($primary, $standby);
is($primary->sql($ahead), 8, 'two months are taken away');
for my $node ($primary, $standby)
{
	like($node->sql(q{SELECT reasons::text FROM mfi_health('node')}),
		qr/audit-partitions-missing: these audit partitions are not there: mfi_audit.user_auth_logs_\d{6}, mfi_audit.admin_event_logs_\d{6}/, 'the verdict misses the next month');
}
$standby->restart;
$standby->launcher_ready;
is($standby->pid_of('mfi maintainer'), '', 'a standby makes no partitions');
$primary->restart;
$primary->wait_sql("SELECT ($ahead) = 16");
is($primary->sql(q{SELECT reasons::text ~ 'audit' FROM mfi_health('node')}), 'f', 'made; the verdict has nothing to say');
catch_up($primary, $standby);
is($standby->sql($ahead), 16, 'the standby has them too');
$primary->wait_until('the log tells', sub { PostgreSQL::Test::Utils::slurp_file($primary->logfile) =~ /LOG: +mfi: partition mfi_audit.mfi_user_activity_logs_\d{6} made/ });
pass('each one is in the log');

# Rows whose month has no partition: kept, told, moved.
$primary->sql(<<'SQL');
INSERT INTO user_auth_logs (iam_event_id, event_type, client_id, realm_id, event_time)
SELECT n::text, 'LOGIN', 'c', 'r', timestamptz '2011-02-27 23:00Z' + n * interval '1 hour' FROM generate_series(0, 40) n;
INSERT INTO user_activity_logs (user_id, event_type_id, event_time) VALUES ('u', 6, NULL), ('u', 6, NULL);
SQL
my $health = $primary->sql(q{SELECT verdict, reasons::text, next_steps::text FROM mfi_health('node')});
like($health, qr/^warning\|.*audit-rows-outside: mfi_audit.user_auth_logs_default has 41 rows of user_auth_logs whose month has no partition/, 'rows outside: a warning');
like($health, qr/audit-rows-undated: user_activity_logs has 2 rows without event_time/, 'rows without a time are told');
$primary->sql('CREATE ROLE watch IN ROLE pg_monitor');
like($primary->sql(q{SET ROLE watch; SELECT reasons::text FROM mfi_health('node')}), qr/audit-rows-outside/, 'monitoring sees the same');
is($primary->sql('SELECT string_agg(l, \',\') FROM mfi_audit_ensure_partitions(3) AS l'),
	'partition mfi_audit.user_auth_logs_201102 made, with the rows that were in mfi_audit.user_auth_logs_default,'
	  . 'partition mfi_audit.user_auth_logs_201103 made, with the rows that were in mfi_audit.user_auth_logs_default', 'they get partitions');
is($primary->sql(q{SELECT string_agg(p || ' ' || c, ',' ORDER BY p) FROM (SELECT tableoid::regclass::text AS p, count(*) AS c FROM user_auth_logs GROUP BY 1) s}),
	'mfi_audit.user_auth_logs_201102 25,mfi_audit.user_auth_logs_201103 16', 'of their months in UTC');
is($primary->sql(q{SELECT verdict, reasons::text ~ 'undated' FROM mfi_health('node')}), 'ok|t', 'rows without a time are no warning');
is($primary->sql(q{SELECT count(*) FROM pg_trigger WHERE tgname = 'append_only' AND tgenabled <> 'O'}), '0', 'and stay append-only');
like($primary->error('DELETE FROM mfi_audit.user_auth_logs_201102'), qr/DELETE on mfi_audit.user_auth_logs_201102 is refused.*mfi_audit_expire/s, 'DELETE names the way');

my $expire = 'SELECT partition, rows, decision, reason FROM mfi_audit_expire(12) ORDER BY 1';

# Expiry: only what a proven backup holds.
like($primary->sql($expire), qr/^mfi_audit.user_auth_logs_201102\|25\|keep\|no backup of this database was proven by a restore: .*\nmfi_audit.user_auth_logs_201103\|16\|keep\|/, 'kept without a backup');
my $id = $primary->backup_ok;
is($primary->run($id, 'verify_method, verify_result'), 'restore|ok', 'a proven backup');
$primary->sql("INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) VALUES ('LOGIN', 'c', 'r', '2011-03-03')");
is($primary->sql('SELECT partition, decision FROM mfi_audit_expire(12, dry_run => true) ORDER BY 1'), "mfi_audit.user_auth_logs_201102|drop\nmfi_audit.user_auth_logs_201103|keep", 'dry run');
is($primary->sql('SELECT count(*) FROM user_auth_logs'), '42', 'changes nothing');
is($primary->run($id, 'held'), 'f', 'and holds nothing');
like($primary->sql($expire), qr/^mfi_audit.user_auth_logs_201102\|25\|dropped\|backup $id has all of its rows\nmfi_audit.user_auth_logs_201103\|17\|keep\|backup $id has 16 of its 17 rows: take a new one/, 'only what the backup holds goes');
is($primary->sql(q{SELECT count(*), to_regclass('mfi_audit.user_auth_logs_201102') IS NULL FROM user_auth_logs}), '17|t', 'as a whole');
is($primary->run($id, 'held'), 't', 'the backup stays from now on');
like($primary->sql('SELECT reason FROM mfi_backup_retention_preview()'), qr/held/, 'retention says so');

# The same month again, with as many rows, is another partition: the old backup does not have it.
$primary->sql(<<'SQL');
INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) SELECT 'LOGIN', 'c', 'r', '2011-02-11' FROM generate_series(1, 25);
SELECT mfi_audit_ensure_partitions(3);
SQL
like($primary->sql($expire), qr/^mfi_audit.user_auth_logs_201102\|25\|keep\|backup $id does not have it/, 'a partition made later is not taken for the old one');

# What a rollback brings back.
$primary->backup_ok;
$primary->sql('BEGIN; SELECT mfi_audit_expire(12); ROLLBACK');
is($primary->sql('SELECT count(*) FROM user_auth_logs'), '42', 'a rollback brings the months back');

# A row that was being written while the months were counted is not dropped with them.
like($primary->error('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT mfi_audit_expire(12)'),
	qr/cannot be moved, dropped or made anew at isolation level repeatable read.*Nothing was changed.*HINT: +Call it again after SET/s, 'a transaction that would not see it is refused');
my ($writer, $expiry) = map { $primary->background_psql('mfi_banking') } 1 .. 2;
$writer->query_safe("BEGIN; INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) VALUES ('LOGIN', 'c', 'r', '2011-02-28')");
$expiry->query_until(qr/asked/, "\\echo asked\n$expire;\n");
$primary->wait_sql("SELECT count(*) > 0 FROM pg_locks WHERE relation = 'user_auth_logs'::regclass AND NOT granted");
$writer->query_safe('COMMIT');
like($expiry->query('SELECT 1'), qr/^mfi_audit.user_auth_logs_201102\|26\|keep\|backup \S+ has 25 of its 26 rows.*\nmfi_audit.user_auth_logs_201103\|17\|dropped\|/, 'counted again under the lock');
$_->quit for $writer, $expiry;

# A standby, and wrong values.
for my $call ('mfi_audit_ensure_partitions(3)', 'mfi_audit_expire(12)')
{
	like($standby->error("SELECT $call"), qr/ERROR: +this server is a standby.*HINT: +Connect to the primary/s, "$call on a standby");
}
my %bad = (
	'mfi_audit_ensure_partitions(NULL)' => qr/months must be between 0 and 120, not NULL/, 'mfi_audit_ensure_partitions(-1)' => qr/not -1/,
	'mfi_audit_ensure_partitions(121)' => qr/not 121/, 'mfi_audit_expire(NULL)' => qr/keep_months must be between 1 and 1200, not NULL/,
	'mfi_audit_expire(0)' => qr/not 0/, 'mfi_audit_expire(1201)' => qr/not 1201/);
like($primary->error("SELECT $_"), qr/ERROR: .*$bad{$_}.*HINT/s, $_) for sort keys %bad;
like($primary->error("SET ROLE watch; SELECT mfi_audit_expire(12)"), qr/permission denied for function/, 'not for everybody');

# A table of the partition's name that is none.
$primary->sql('DO $$ BEGIN EXECUTE \'CREATE TABLE \' || _mfi_partition_name(\'user_auth_logs\', _mfi_month(now(), 9)) || \' ()\'; END $$');
like($primary->error('SELECT mfi_audit_ensure_partitions(9)'), qr/mfi_audit.user_auth_logs_\d{6} exists but is not a partition of user_auth_logs|exists but is not a partition/, 'a table in the way is named');
is($primary->sql($ahead), 16, 'and nothing is half done');

# Promoted, it goes on.
$primary->sql($drop);
catch_up($primary, $standby);
$primary->stop;
$standby->promote;
$standby->wait_sql("SELECT ($ahead) = 16");
pass('a promoted standby makes them');

$standby->stop;
done_testing();
