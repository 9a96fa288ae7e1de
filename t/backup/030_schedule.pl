# The schedule runs by itself: a slot fires, missed slots make one catch-up, a failed run is retried later and
# does not stop the schedule.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use MfiShim qw(install_with replace while_there);
use PostgreSQL::Test::Utils qw(append_to_file slurp_file);
use Test::More;

# Every minute: the next one is at most 60 s away, wherever in its minute the test begins.
my $path = install_with();
my $node = MfiNode->bank('bank', install_path => $path, conf => "mfi.backup_schedule = '* * * * *'\nmfi.backup_timezone = 'Asia/Kolkata'\n");
$node->wait_sql('SELECT next_run > now() AND next_run <= now() + interval \'1 min\' FROM mfi_backup_health');

# A verification that lasts does not keep the slot from being planned; the run follows it.
my $set = $node->backup_ok;
my $held = $node->basedir . '/held';
append_to_file($held, '');
replace($path, 'pg_restore', "[ \"\$1\" = --version ] || @{[ while_there($held) ]}; real \"\$@\"");
my $verifier = $node->background_psql('mfi_banking');
$verifier->query_until(qr/asked/, "\\echo asked\nSELECT mfi_backup_verify('$set');\n");
$node->wait_sql("SELECT EXISTS (SELECT FROM mfi_backups WHERE trigger = 'schedule' AND state = 'queued')");
pass('a slot is planned while a verification runs');
unlink $held or die;
replace($path, 'pg_restore', undef);
is($verifier->query('SELECT 1'), "ok\n1", 'the verification comes to its end');
$verifier->quit;
$node->wait_sql("SELECT EXISTS (SELECT FROM mfi_backups WHERE trigger = 'schedule' AND state = 'succeeded')");
my $id = $node->sql("SELECT id FROM mfi_backups WHERE trigger = 'schedule' ORDER BY queued_at LIMIT 1");
my $slot = $node->sql(qq{SELECT to_char(date_trunc('minute', queued_at) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD"T"HH24:MI"+05:30"') FROM mfi_backups WHERE id = '$id'});
my $record = slurp_file($node->backups . "/.runs/$id.json");
is($node->sql("SELECT date_trunc('minute', queued_at) >= date_trunc('second', pg_postmaster_start_time()) FROM mfi_backups WHERE id = '$id'"), 't',
	'no slot before the first is made up for');
like($record, qr/"slot": "\Q$slot\E"/, 'the record has its slot, in local time');
like($record, qr{"schedule": "\* \* \* \* \* Asia/Kolkata"}, 'and its schedule');
is($node->sql("SELECT started_at - date_trunc('minute', started_at) < interval '20 s' FROM mfi_backups WHERE id = '$id'"), 't', 'on time');
is($node->sql("SELECT count(*) FROM mfi_backups WHERE trigger <> 'schedule' AND id <> '$set'"), '0', 'nothing else ran');

# Many missed slots, one catch-up: a daily schedule whose last run was ten days ago.
$node->set('mfi.backup_schedule' => "'@{[ $node->sql(q{SELECT to_char(now() AT TIME ZONE 'Asia/Kolkata' - interval '2 h', 'MI HH24 * * *')}) ]}'");
$node->stop;
my $backups = $node->backups;
system('rm', '-r', $backups) == 0 or die;
mkdir $backups or die;
mkdir "$backups/.runs" or die;
my $schedule = slurp_file($node->data_dir . '/postgresql.auto.conf') =~ /mfi.backup_schedule = '(.*)'/ ? $1 : die;
my $old = sub { require POSIX; POSIX::strftime($_[0], gmtime(time - 10 * 86400)) };
append_to_file("$backups/.runs/mfi_banking_" . $old->('%Y%m%dT%H%M%SZ') . '.json', <<"JSON");
{"id": "mfi_banking_@{[ $old->('%Y%m%dT%H%M%SZ') ]}", "state": "failed", "trigger": "schedule", "database": "mfi_banking",
 "slot": "@{[ $old->('%Y-%m-%dT%H:%M') ]}", "schedule": "$schedule Asia/Kolkata", "attempt": 1, "node": "elsewhere-5432",
 "queued_at": "@{[ $old->('%Y-%m-%dT%H:%M:%SZ') ]}", "finished_at": "@{[ $old->('%Y-%m-%dT%H:%M:%SZ') ]}", "error": "an old one"}
JSON
$node->start;
$node->wait_sql("SELECT EXISTS (SELECT FROM mfi_backups WHERE trigger = 'catch-up' AND state = 'succeeded')");
is($node->sql("SELECT string_agg(trigger || ' ' || state, ', ' ORDER BY queued_at) FROM mfi_backups"),
	'schedule failed, catch-up succeeded', 'ten missed slots: one catch-up');
$node->restart;
$node->wait_sql("SELECT next_run > now() + interval '20 h' FROM mfi_backup_health");
is($node->sql('SELECT count(*) FROM mfi_backups'), '2', 'and none again after a restart');

# A slot that cannot be recorded is not tried in a loop.
$node->set('mfi.backup_schedule' => "''", 'mfi.backup_on_start' => 'on');
system('rm', '-r', $backups) == 0 or die;
my $at = -s $node->logfile;
$node->restart;
$node->wait_for_log(qr/mfi backup mfi_banking_\S+ failed: the backup directory ".*" does not exist/, $at);
$node->wait_sql("SELECT next_run > now() + interval '4 min' FROM mfi_backup_health");
my $failures = () = slurp_file($node->logfile, $at) =~ /failed: the backup directory/g;
is($failures, 1, 'a run that cannot be recorded is tried once, then later');
like($node->sql('SELECT reasons FROM mfi_backup_health'), qr/does not exist/, 'and the verdict tells');
mkdir $backups or die;
$node->recovers_ok('directory back');
$node->stop;
done_testing();
