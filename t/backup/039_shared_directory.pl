# Both nodes use one backup directory: after a promotion the new primary takes up where the old one stopped.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use MfiPair qw(pair catch_up);
use PostgreSQL::Test::Utils qw(slurp_dir append_to_file);
use Test::More;

my ($primary, $standby) = pair(conf => "mfi.backup_min_keep = 2\nmfi.backup_retain_days = 0\n");
my $backups = $primary->backups;
$standby->{backups} = $backups;
$standby->append_conf('postgresql.conf', "mfi.backup_directory = '$backups'");
$standby->restart;

# A slot of a daily schedule, two hours ago, that the primary missed and then caught up with.
my $schedule = $primary->sql(q{SELECT to_char(now() AT TIME ZONE 'UTC' - interval '2 h', 'MI HH24 * * *')});
my ($id, $slot, $at) = split /\|/, $primary->sql(q{SELECT to_char(t, '"mfi_banking_"YYYYMMDD"T"HH24MISS"Z"'), to_char(t, 'YYYY-MM-DD"T"HH24:MI'),
	to_char(t, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM (SELECT now() AT TIME ZONE 'UTC' - interval '3 days') s(t)});
mkdir "$backups/.runs";
append_to_file("$backups/.runs/$id.json", qq({"id": "$id", "state": "failed", "trigger": "schedule", "database": "mfi_banking", "slot": "$slot",
	"schedule": "$schedule UTC", "attempt": 1, "node": "elsewhere-5432", "queued_at": "$at", "finished_at": "$at", "error": "an old one"}));
for my $node ($primary, $standby)
{
	$node->set('mfi.backup_schedule' => "'$schedule'", 'mfi.backup_timezone' => "'UTC'");
}
$primary->restart;
$primary->wait_sql("SELECT EXISTS (SELECT FROM mfi_backups WHERE trigger = 'catch-up' AND state = 'succeeded')");
my $first = $primary->sql("SELECT id FROM mfi_backups WHERE trigger = 'catch-up'");
my $held = $primary->backup_ok;
$primary->sql("SELECT mfi_backup_hold('$held', 'before the move')");
$primary->wait_sql("SELECT state = 'streaming' FROM pg_stat_replication");
catch_up($primary, $standby);
is($standby->sql("SELECT string_agg(id, ' ' ORDER BY id) FROM mfi_backups WHERE state = 'succeeded'"), "$first $held", 'the standby sees the sets of both');

# The primary dies in the middle of a dump; the other node takes over.
my ($session, $cut) = $primary->dump_held;
$primary->stop('immediate');
$session->{run}->kill_kill;
$standby->promote;
$standby->wait_sql('SELECT next_run > now() FROM mfi_backup_health');
is($standby->sql("SELECT count(*) FROM mfi_backups WHERE trigger = 'catch-up'"), '1', 'a slot that has run does not run again');
like($standby->run($cut, 'state, error'), qr/^failed\|interrupted/, 'what the old primary left is told as interrupted');
ok((grep { /^\.partial-.*$cut/ } slurp_dir($backups)), 'and its half set is its own to remove');

# Retention works on the sets of both, under the same floors.
my $new = $standby->backup_ok;
my $newer = $standby->backup_ok;
is($standby->sql("SELECT string_agg(id, ' ' ORDER BY id) FROM mfi_backups WHERE path IS NOT NULL"), "$held $new $newer", 'held and newest sets stay');
is($standby->run($first, 'state'), 'expired', 'an old one of the old primary goes');
is($standby->run($new, 'source_role, timeline'), 'primary|2', 'made on the new timeline');

# The old primary comes back by mistake: it removes what it left, and nothing else.
$primary->append_conf('postgresql.conf', "mfi.backup_schedule = ''");
$primary->append_conf('postgresql.auto.conf', "mfi.backup_schedule = ''");
$primary->start;
$primary->wait_until('its half set is removed', sub { !grep { /^\.partial-/ } slurp_dir($backups) });
is($primary->sql("SELECT string_agg(id, ' ' ORDER BY id) FROM mfi_backups WHERE path IS NOT NULL"), "$held $new $newer", 'the sets are all there');
$primary->stop;
$standby->recovers_ok('the new primary');
$standby->stop;
done_testing();
