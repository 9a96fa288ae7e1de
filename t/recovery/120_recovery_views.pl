# What SQL says of recovery, from the first base to a receiver that cannot go on, and who may ask.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiClock;
use MfiCommand qw(does_ok);
use MfiNode;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $conf = <<'CONF';
summarize_wal = on
max_slot_wal_keep_size = 1GB
mfi.expected_standbys = 'none'
mfi.recovery_full_schedule = ''
mfi.recovery_incremental_schedule = ''
CONF
my $node = MfiNode->prepared('bank', streaming => 1, conf => $conf);
my $clock = MfiClock->new;
$clock->start($node);
$node->safe_psql('postgres', 'CREATE DATABASE mfi_banking');
$node->sql('CREATE EXTENSION mfi CASCADE');
my $store = $node->basedir . '/recovery';
mkdir $store, 0700 or die "could not create the recovery directory: $!";

# Off.
is($node->sql('SELECT receiver_state, oldest_time, newest_time, running, error FROM mfi_recovery'), 'off||||', 'off: the view says so');
is($node->sql('SELECT verdict, reasons[1] FROM mfi_health($$recovery$$)'),
	'ok|recovery-off: mfi.recovery_directory is not set, so only whole backups can be restored', 'off: information, no warning');
unlike($node->sql('SELECT reasons FROM mfi_health()'), qr/recovery-/, 'which nobody reads who did not ask for it');
for my $call ('mfi_recovery_base_now()', 'mfi_recovery_drill()')
{
	like($node->error("SELECT $call"), qr/ERROR: +recovery is off: mfi.recovery_directory is not set\nHINT: +ALTER SYSTEM SET mfi.recovery_directory/, "off: $call");
}
is($node->sql('SELECT (SELECT count(*) FROM mfi_recovery_backups) + (SELECT count(*) FROM mfi_recovery_drills)'), '0', 'off: no rows');

# On: WAL is received, and the first base comes by itself.
$node->set('mfi.recovery_directory' => "'$store'");
$node->wait_sql("SELECT receiver_state = 'receiving' FROM mfi_recovery");
$node->wait_sql('SELECT count(*) = 1 FROM mfi_recovery_backups');
is($node->sql(<<'SQL'), 'full||t|t|t|t|1|t', 'the first base is a full one, verified');
SELECT kind, parent, started_at <= finished_at, stored_bytes > 0 AND data_bytes > stored_bytes, start_lsn < end_lsn,
       end_lsn <= pg_current_wal_lsn(), timeline, verified_at IS NOT NULL
  FROM mfi_recovery_backups
SQL
$node->wait_sql('SELECT running IS NULL FROM mfi_recovery');
my $first = $node->sql('SELECT id FROM mfi_recovery_backups');
$node->sql("INSERT INTO mfi_type (name) VALUES ('after the first base')");
my $second = $node->sql('SELECT mfi_recovery_base_now()');
is($node->sql("SELECT kind, parent, remark FROM mfi_recovery_backups WHERE id = '$second'"), "incremental|$first|", 'an incremental base builds on it');
$node->wait_sql('SELECT oldest_time < newest_time AND newest_time > last_base_at FROM mfi_recovery');
$node->wait_sql('SELECT receiver_lag_bytes < 1000000 FROM mfi_recovery');
is($node->sql('SELECT gap, error FROM mfi_recovery'), '|', 'nothing is missing');
like($node->sql('SELECT mfi_recovery_base_now(true)'), qr/^\d{8}T\d{6}Z-full$/, 'a full one, when it is asked for');
is($node->sql('SELECT count(*), count(parent) FROM mfi_recovery_backups'), '3|1', 'three bases');

# All is well, but that the test has one disk, and that nobody counts the receiver as a standby.
$node->wait_sql("SELECT drill_result = 'ok' AND running IS NULL FROM mfi_recovery");
is($node->sql("SELECT verdict, string_agg(split_part(r, ':', 1), ' ') FROM mfi_health('recovery'), unnest(reasons) r GROUP BY 1"),
	'warning|recovery-same-device', 'all else is well');
is($node->sql('SELECT verdict, summary FROM mfi_replication_status()'), 'ok|no standby connected and none expected', 'the receiver is no standby');
$node->set('synchronous_standby_names' => q('*'));
$node->wait_sql("SELECT reasons::text ~ 'recovery-receiver-synchronous: ' FROM mfi_health('replication')");
$node->set('synchronous_standby_names' => q(''));
$node->wait_sql("SELECT reasons::text !~ 'recovery-receiver-synchronous: ' FROM mfi_health('replication')");

# Who may ask.
$node->sql('CREATE ROLE monitor IN ROLE pg_monitor; CREATE ROLE somebody; GRANT USAGE ON SCHEMA public TO PUBLIC');
for my $view (qw(mfi_recovery mfi_recovery_backups mfi_recovery_drills))
{
	like($node->sql("SET ROLE monitor; SELECT count(*) FROM $view"), qr/\d$/, "pg_monitor reads $view");
	like($node->error("SET ROLE somebody; SELECT count(*) FROM $view"), qr/permission denied for view $view/, "others do not read $view");
}
for my $call ('mfi_recovery_base_now()', 'mfi_recovery_drill()')
{
	like($node->error("SET ROLE monitor; SELECT $call"), qr/permission denied for function/, "pg_monitor does not call $call");
}
like($node->error('BEGIN; LOCK TABLE portals; SELECT mfi_recovery_drill()'),
	qr/holds a lock that the drill would wait for.*locks "portals".*Commit first/s, 'a caller that would wait for itself is told so');

# The directory goes, and the slot with it.
rename $store, "$store.away" or die "could not move the directory: $!";
$node->sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = 'mfi_recovery'");
$node->wait_sql("SELECT receiver_state = 'waiting' AND error ~ 'recovery.* does not exist' FROM mfi_recovery");
$node->sql("SELECT pg_drop_replication_slot('mfi_recovery')");
$node->wait_sql("SELECT reasons::text ~ 'recovery-receiver-stalled: no WAL has been received for .* does not exist' FROM mfi_health('recovery')");
like($node->sql("SELECT verdict, reasons FROM mfi_health('recovery')"), qr/^critical\|.*recovery-store-unusable: .*does not exist/, 'the verdict names the directory');
like($node->error('SELECT mfi_recovery_base_now()'), qr/ERROR: +the base failed: .*\nHINT: /, 'and a base fails with its reason');

# It comes back, without the WAL of meanwhile: a gap, which a new full base ends.
$node->sql('SELECT pg_switch_wal() FROM (SELECT pg_logical_emit_message(false, $$mfi$$, $$x$$)) m') for 1 .. 3;
$node->safe_psql('postgres', 'CHECKPOINT') for 1 .. 2;
rename "$store.away", $store or die "could not move the directory back: $!";
$node->wait_sql("SELECT receiver_state = 'receiving' AND gap ~ '^[0-9A-F]{24} to [0-9A-F]{24}' FROM mfi_recovery");
$node->wait_sql("SELECT reasons::text ~ 'recovery-gap: WAL is missing in the store, segment .* so nothing that came later can be recovered' FROM mfi_health('recovery')");
is($node->sql("SELECT verdict FROM mfi_health('recovery')"), 'critical', 'a gap at the end is critical');
$node->sql('SELECT mfi_recovery_base_now(true)');
$node->wait_sql("SELECT reasons::text ~ 'recovery-gap: .* so there is a time before .* that cannot be recovered' FROM mfi_health('recovery')");
$node->wait_sql("SELECT verdict = 'warning' FROM mfi_health('recovery')");
like($node->sql('SELECT mfi_recovery_drill()'), qr/^ok$/, 'a drill of the new base, when it is asked for');
is($node->sql('SELECT result, base = (SELECT id FROM mfi_recovery_backups LIMIT 1), rto > $$0$$, tables > 0 FROM mfi_recovery_drills LIMIT 1'), 'ok|t|t|t', 'its row');
is($node->sql('SELECT drill_result, last_drill_at > last_base_at, rto > $$0$$ FROM mfi_recovery'), 'ok|t|t', 'and in the overview');

# The clock is set back: what is made counts as the newest all the same.
$clock->set(-3 * 86400);
my $newest = $node->sql('SELECT id FROM mfi_recovery_backups LIMIT 1');
my $back = $node->sql('SELECT mfi_recovery_base_now()');
is($node->sql("SELECT kind, parent, started_at <= now() FROM mfi_recovery_backups WHERE id = '$back'"), "incremental|$newest|t", 'clock set back: a base on the newest');
is($node->sql('SELECT mfi_recovery_drill()'), 'ok', 'clock set back: a drill');
is($node->sql("SELECT bool_and(result = 'ok') FROM mfi_recovery_drills WHERE base = '$back'"), 't', 'clock set back: of that base');
$node->wait_sql('SELECT running IS NULL FROM mfi_recovery');
is($node->sql('SELECT drill_result, last_drill_at BETWEEN last_base_at AND now() FROM mfi_recovery'), 'ok|t', 'clock set back: the view has them');
$node->wait_sql('SELECT newest_time <= now() FROM mfi_recovery');
is($node->sql("SELECT verdict FROM mfi_health('recovery')"), 'warning', 'clock set back: nothing is critical');
$clock->set(0);

# Off again: the slot goes, as it would keep WAL for nobody.
$node->set('mfi.recovery_directory' => q(''));
$node->wait_sql("SELECT NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = 'mfi_recovery')");
like(slurp_file($node->logfile), qr/mfi dropped the replication slot "mfi_recovery", since recovery is off/, 'off again: and the log says so');
is($node->sql('SELECT receiver_state, count(*) OVER () FROM mfi_recovery'), 'off|1', 'off again: the view says so');
unlike($node->sql('SELECT reasons FROM mfi_health()'), qr/recovery-/, 'off again: and the verdict is silent');

# One that somebody uses is left, and told.
my $user = $node->background_psql('postgres');
$user->query_safe("SELECT pg_create_physical_replication_slot('mfi_recovery', true, true)");
like($node->sql('SELECT reasons FROM mfi_health()'),
	qr/recovery-slot-left: recovery is off, and its slot mfi_recovery still keeps WAL/, 'a slot in use is told');
$user->quit;

# On again: what was written meanwhile is missing, and a full base comes by itself.
my $missing = $node->sql('SELECT pg_walfile_name(pg_current_wal_lsn())');
$node->sql('SELECT pg_switch_wal() FROM (SELECT pg_logical_emit_message(false, $$mfi$$, $$x$$)) m') for 1 .. 3;
$node->safe_psql('postgres', 'CHECKPOINT') for 1 .. 2;
$node->set('mfi.recovery_directory' => "'$store'");
$node->wait_sql("SELECT receiver_state = 'receiving' AND gap ~ '^$missing to ' FROM mfi_recovery");
$node->wait_sql("SELECT count(*) = 6 FROM mfi_recovery_backups");
like($node->sql('SELECT kind, remark FROM mfi_recovery_backups LIMIT 1'), qr/^full\|a full one: WAL is missing after base/, 'on again: a new full base');

# Another cluster of the same name, as pg_upgrade makes one: it begins a store of its own, and takes nothing of the other.
my $former = $node->sql('SELECT system_identifier FROM pg_control_system()');
my @kept = map { s{.*/}{}r } glob("$store/*/base/*");
$node->stop;
my $upgraded = MfiNode->prepared('upgraded', streaming => 1, conf => "$conf\nport = @{[ $node->port ]}\nmfi.recovery_directory = '$store'");
$upgraded->{_port} = $node->port;
$upgraded->start;
$upgraded->safe_psql('postgres', 'CREATE DATABASE mfi_banking');
$upgraded->sql('CREATE EXTENSION mfi CASCADE');
$upgraded->wait_sql('SELECT count(*) = 1 FROM mfi_recovery_backups');
my ($foreign) = glob("$store/*.$former");
is_deeply([ map { s{.*/}{}r } glob("$foreign/base/*") ], \@kept, 'another cluster: all bases of the former one are kept beside');
like(does_ok('what can be recovered', $upgraded, 'recover', '--list', '--store', $store), qr/\Q$foreign\E\n +from /, 'another cluster: the former one is named');
$upgraded->stop;
done_testing();
