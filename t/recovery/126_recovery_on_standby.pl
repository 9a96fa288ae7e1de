# Recovery kept by a standby: receiving, bases and drills write nothing to the database, so that they go on there; nobody takes its receiver
# for a standby of its own, and its verdict goes on when the primary is gone.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiPair qw(pair);
use Test::More;

my ($primary, $standby) = pair(conf => <<'CONF');
summarize_wal = on
mfi.recovery_full_schedule = ''
mfi.recovery_incremental_schedule = ''
CONF
my $store = $standby->basedir . '/recovery';
mkdir $store, 0700 or die "could not create the recovery directory: $!";
$standby->set('mfi.recovery_directory' => "'$store'");

$standby->wait_sql('SELECT count(*) = 1 FROM mfi_recovery_backups');
is($standby->sql('SELECT kind, verified_at IS NOT NULL FROM mfi_recovery_backups'), 'full|t', 'the first base of a standby');
$primary->sql("INSERT INTO mfi_type (name) VALUES ('after the first base')");
$primary->safe_psql('postgres', 'CHECKPOINT');
like($standby->sql('SELECT mfi_recovery_base_now()'), qr/-incr$/, 'an incremental one, asked for on the standby');
is($standby->sql('SELECT mfi_recovery_drill()'), 'ok', 'a drill, asked for on the standby');
$standby->wait_sql('SELECT oldest_time < newest_time AND gap IS NULL AND error IS NULL FROM mfi_recovery');
is($standby->sql(q{SELECT string_agg(split_part(r, ':', 1), ' ') FROM mfi_health('recovery'), unnest(reasons) r}), 'recovery-same-device', 'all else is well');
is($standby->sql('SELECT count(*), min(verdict) FROM mfi_replication_status()'), '1|ok', 'the standby has an upstream, and no standby');
is($primary->sql('SELECT count(*), min(verdict), min(peer) FROM mfi_replication_status()'), '1|ok|db-replica', 'the primary has one standby');
is($primary->sql('SELECT receiver_state FROM mfi_recovery'), 'off', 'and no recovery of its own');

# The primary goes: what is in the store stays, and grows old.
$primary->stop('immediate');
$standby->wait_sql('SELECT newest_time < now() FROM mfi_recovery');
like($standby->sql('SELECT receiver_state FROM mfi_recovery'), qr/^receiving$/, 'the standby receives from itself all the same');
$standby->safe_psql('postgres', 'SELECT pg_promote()');
$standby->sql("INSERT INTO mfi_type (name) VALUES ('after the promotion')");
$standby->wait_sql("SELECT receiver_state = 'receiving' AND newest_time > (SELECT max(finished_at) FROM mfi_recovery_drills) AND gap IS NULL FROM mfi_recovery");
$standby->wait_sql(q{SELECT string_agg(split_part(r, ':', 1), ' ') = 'recovery-same-device' FROM mfi_health('recovery'), unnest(reasons) r});
is($standby->sql('SELECT count(*) FROM mfi_recovery_backups WHERE timeline = 1'), '2', 'the bases of before count on');
$standby->stop;
done_testing();
