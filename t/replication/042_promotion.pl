# After a promotion the new primary goes on with the schedule; nothing on the way is blocked by the launcher.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiPair qw(pair catch_up);
use Test::More;

my ($primary, $standby) = pair();
like($standby->error('SELECT mfi_backup_now()'), qr/backups are started on the primary.*This server is a standby.*Connect to the primary/s,
	'no backup is started on a standby');
is($standby->sql("SELECT verdict FROM mfi_health('backup')"), 'ok', 'which is not its fault');
is($standby->sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'mfi launcher' AND datname IS NULL"), '1',
	'the launcher runs on the standby, in no database');

# DROP DATABASE on the primary is replayed on the standby under the launcher's eyes.
$primary->safe_psql('postgres', 'CREATE DATABASE passing');
$primary->safe_psql('postgres', 'DROP DATABASE passing');
catch_up($primary, $standby);
pass('DROP DATABASE is not held up on either node');

$standby->append_conf('postgresql.conf', "mfi.backup_on_start = on\n");
$standby->reload;
$primary->stop;
$standby->promote;
$standby->wait_sql("SELECT EXISTS (SELECT FROM mfi_backups WHERE trigger = 'start' AND state = 'succeeded' AND source_role = 'primary' AND timeline = 2)");
pass('the promoted standby makes backups by itself, in its own directory');
$standby->wait_sql("SELECT node_role = 'primary' AND verdict IS NOT NULL FROM mfi_replication_health");
is($standby->run($standby->backup_ok, 'state, verify_result'), 'succeeded|ok', 'and on request');
$standby->stop;
done_testing();
