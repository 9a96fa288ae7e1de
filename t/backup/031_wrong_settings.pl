# Wrong values: by SET, by ALTER SYSTEM, and in the file, where the server takes its default instead.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use Test::More;

my $node = MfiNode->bank('bank');

sub refused
{
	my ($name, $value, $words) = @_;
	like($node->error("ALTER SYSTEM SET $name = $value"), $words, "$name = $value");
	return;
}
refused('mfi.backup_schedule', "'61 2 * * *'", qr/invalid value for parameter "mfi.backup_schedule": "61 2 \* \* \*".*DETAIL:  .*minute.*61.*HINT:  /s);
refused('mfi.backup_schedule', "'0 2 * *'", qr/DETAIL:  .*HINT:  /s);
refused('mfi.backup_schedule', "'0 0 31 2 *'", qr/DETAIL:  .*HINT:  /s);
refused('mfi.backup_timezone', "'Africa/Kigale'", qr/DETAIL:  Time zone "Africa\/Kigale" is not known.*HINT:  SELECT name FROM pg_timezone_names/s);
refused('mfi.backup_directory', "'./backups'", qr/DETAIL:  "\.\/backups" is not an absolute path.*HINT:  /s);
refused('mfi.backup_retain_days', '-1', qr/-1 is outside the valid range for parameter "mfi.backup_retain_days" \(0/);
refused('mfi.backup_min_keep', '0', qr/0 is outside the valid range/);
refused('mfi.backup_jobs', '0', qr/0 is outside the valid range/);
refused('mfi.backup_compression', "'rar:9'", qr/DETAIL:  "rar:9" is no compression.*HINT:  Examples/s);
refused('mfi.backup_verify', "'maybe'", qr/HINT:  Available values: /);
refused('mfi.expected_standbys', q('"unclosed'), qr/DETAIL:  .*HINT:  Separate application_name/s);
# A connection string is shown to superusers and to pg_read_all_settings, as the server's own, and carries no secret at all.
my @spellings = ("host=x password=hunter2", "postgresql://u:hunter2\@x/db", "postgres://u\@x/db?password=hunter2", "host=x sslpassword=hunter2",
	"dbname=''host=x password=hunter2''", "host=x options=''-c app.secret=hunter2''");
for my $name ('mfi.peer_conninfo', 'mfi.backup_source_conninfo')
{
	refused($name, "'$_'", qr/DETAIL:  A connection string in a setting may not hold a password or another secret \((?:ssl)?(?:password|options)\).*HINT:  Put the password into a file/s) for @spellings;
	refused($name, "'hunter2'", qr/DETAIL:  It is no connection string.*HINT:  Example/s);
}
$node->safe_psql('postgres', 'CREATE ROLE anybody LOGIN; CREATE ROLE monitor LOGIN; GRANT pg_monitor TO monitor');
for my $name ('mfi.peer_conninfo', 'mfi.backup_source_conninfo', 'mfi.notify_command')
{
	like($node->error("SET ROLE anybody; SHOW $name"), qr/permission denied to examine "$name"/, "$name: not for everybody");
	is($node->sql("SET ROLE anybody; SELECT count(*) FROM pg_settings WHERE name = '$name'"), '0', "$name: nor in pg_settings");
	is($node->sql("SET ROLE monitor; SHOW $name"), '', "$name: for pg_read_all_settings");
}
refused('mfi.backup_dir', "'/tmp'", qr/invalid configuration parameter name "mfi.backup_dir".*reserved prefix/s);
like($node->error(q(SET mfi.backup_schedule = '@daily')), qr/parameter "mfi.backup_schedule" cannot be changed now/, 'SET is refused');
like($node->error("SELECT * FROM mfi_backup_next_runs(1, '0 25 * * *')"), qr/hour.*25.*HINT:/s, 'wrong text of next_runs');
like($node->error("SELECT * FROM mfi_backup_next_runs(1, '0 2 * * *', 'Mars/Olympus')"), qr/time zone "Mars\/Olympus" is not known/, 'wrong zone of next_runs');
like($node->error('SELECT * FROM mfi_backup_next_runs(-1)'), qr/must be between 0 and/, 'wrong number of next_runs');
like($node->error("SELECT * FROM mfi_health('everything')"), qr/there is no scope "everything".*HINT:  Scopes are/s, 'wrong scope');

# In the file at start: the default is not the schedule that was meant, so nothing is scheduled until it is corrected.
$node->append_conf('postgresql.conf', "mfi.backup_schedule = '61 * * * *'");
$node->restart;
$node->wait_sql("SELECT verdict = 'critical' FROM mfi_health('node')");
like($node->sql("SELECT reasons FROM mfi_health('node')"),
	qr/setting-invalid: mfi.backup_schedule = '61 \* \* \* \*' in .*postgresql.conf line \d+ is not in force/, 'wrong at start: named with file and line');
like($node->sql('SELECT verdict, reasons FROM mfi_backup_health'), qr/^critical\|.*schedule-held: /, 'and the schedule is held');
is($node->sql('SELECT next_run FROM mfi_backup_health'), '', 'so nothing is next');
$node->recovers_ok('a manual backup runs all the same');

# Corrected: it goes on after a reload.
$node->append_conf('postgresql.conf', "mfi.backup_schedule = '30 3 * * *'");
$node->reload;
$node->wait_sql('SELECT next_run IS NOT NULL FROM mfi_backup_health');
unlike($node->sql('SELECT reasons FROM mfi_health()'), qr/setting-invalid|schedule-held/, 'corrected: the verdict is well again');

# Made wrong while running: the old value stays in force and the verdict says so.
$node->append_conf('postgresql.conf', "mfi.backup_timezone = 'Nowhere/City'");
$node->reload;
$node->wait_sql("SELECT reasons::text ~ 'setting-invalid: mfi.backup_timezone' FROM mfi_health('node')");
isnt($node->sql('SELECT next_run FROM mfi_backup_health'), '', 'the schedule in force goes on');
unlike($node->sql('SELECT reasons FROM mfi_backup_health'), qr/schedule-held/, 'and is not held');
$node->append_conf('postgresql.conf', "mfi.backup_timezone = 'Africa/Kigali'");
$node->reload;
$node->wait_sql("SELECT reasons::text !~ 'setting-invalid' FROM mfi_health('node')");

# What only a superuser may see is not quoted to others either when it is wrong.
$node->append_conf('postgresql.conf', "mfi.peer_conninfo = 'host=x password=hunter2'\nmfi.notify_command = 'tell hunter2'");
$node->reload;
$node->wait_sql("SELECT reasons::text ~ 'setting-invalid: .*mfi.peer_conninfo in .* is not in force' FROM mfi_health('node')");
my $seen = $node->sql("SET ROLE monitor; SELECT reasons FROM mfi_health()");
like($seen, qr/mfi.notify_command in .*postgresql.conf line \d+ is not in force \(pg_file_settings shows a superuser why\)/, 'the setting and its place');
unlike($seen, qr/hunter2/, 'not its value');
$node->append_conf('postgresql.conf', "mfi.peer_conninfo = ''\nmfi.notify_command = ''");
$node->reload;
$node->wait_sql("SELECT reasons::text !~ 'setting-invalid' FROM mfi_health('node')");

# A number out of range in the file.
$node->append_conf('postgresql.conf', 'mfi.backup_retain_days = -3');
$node->restart;
$node->wait_sql("SELECT reasons::text ~ 'setting-invalid: mfi.backup_retain_days = ''-3''' FROM mfi_health('node')");
$node->stop;
done_testing();
