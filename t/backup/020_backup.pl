# A backup from its request to its restore: on start and by hand, what is in a set, what the views say.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiListing qw(listing);
use MfiNode;
use PostgreSQL::Test::Utils qw(run_command slurp_file slurp_dir);
use Test::More;

my $node = MfiNode->bank('bank', conf => "mfi.backup_on_start = on\n");
my $backups = $node->backups;

# The database came after the start: its backup does too.
$node->wait_sql("SELECT count(*) = 1 FROM mfi_backups WHERE trigger = 'start' AND state = 'succeeded'");
my $first = $node->sql('SELECT id FROM mfi_backups');
like($first, qr/^mfi_banking_\d{8}T\d{6}Z$/, 'on start: id is database and time');
is($node->sql('SELECT count(*) FROM mfi_backup_progress'), '0', 'no progress when nothing runs');

$node->sql("INSERT INTO mfi_type (name) VALUES ('Cooperative, written before the backup')");
my $expected = listing($node, 'mfi_banking');
my $id = $node->sql("SELECT mfi_backup_now(wait => true, note => 'before \"it''s\" upgraded\n→ 1.1')");
is($node->run($id, <<'SQL'), 'succeeded|manual|mfi_banking|t|primary|t|t|1|list|ok|f|f|f||1.2|1.1', 'its row');
state, trigger, database, note = E'before "it''s" upgraded\n→ 1.1', source_role,
queued_at <= started_at AND started_at <= finished_at AND verified_at <= finished_at,
snapshot_lsn <= pg_current_wal_flush_lsn() AND source_node LIKE '%-' || current_setting('port')
  AND system_identifier = (SELECT system_identifier::text FROM pg_control_system()),
timeline, verify_method, verify_result, held, suspicious, is_foreign, error, extension_version, schema_version
SQL

# The set.
is(join(' ', sort grep { !/^\.\.?$/ } slurp_dir("$backups/$id")),
	'globals.sql manifest.json mfi_banking.dump', 'files of a set');
is(sprintf('%o', (stat "$backups/$id")[2] & 07777), '700', 'set: mode 0700');
is(sprintf('%o', (stat "$backups/$id/$_")[2] & 07777), '600', "$_: mode 0600")
  for qw(globals.sql manifest.json mfi_banking.dump);
is(readlink "$backups/$id.sql.gz", "$id/mfi_banking.dump", 'link to the archive');
is(readlink "$backups/latest", $id, 'latest');
is($node->run($id, 'path, size_bytes'), "$backups/$id/mfi_banking.dump|" . ((-s "$backups/$id/mfi_banking.dump") + -s "$backups/$id/globals.sql"), 'path and size');
like(slurp_file("$backups/$id/globals.sql"), qr/CREATE ROLE/, 'globals.sql has the roles');

# The manifest, by programs that know nothing of mfi.
my $manifest = slurp_file("$backups/$id/manifest.json");
for my $file (qw(globals.sql mfi_banking.dump))
{
	my ($sha256) = split / /, (run_command([ 'sha256sum', "$backups/$id/$file" ]))[0];
	my $in_manifest = $node->sql("SELECT f->>'sha256' || ' ' || (f->>'bytes') FROM jsonb_array_elements("
		  . "pg_read_file('$backups/$id/manifest.json')::jsonb->'files') f WHERE f->>'name' = '$file'");
	is($in_manifest, "$sha256 " . -s "$backups/$id/$file", "$file: bytes and sha256");
}
unlike($manifest, qr/password/i, 'no secret in the manifest');

# Stock pg_restore through the documented name.
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('restored'), "$backups/$id.sql.gz" ], 'pg_restore');
is(listing($node, 'restored'), $expected, 'restored: equal');

# What the views say while a dump goes on, and who may wait for it.
my ($session, $held) = $node->dump_held;
is($node->sql("SELECT id = '$held', trigger, phase, started_at <= now(), bytes, percent, xmin_age >= 0"
	  . ' FROM mfi_backup_progress'), 't|manual|dumping|t|0||t', 'progress');
is($node->run($held, 'state, started_at IS NOT NULL, finished_at, path'), 'dumping|t||', 'a run that goes on');
is($node->sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type IN ('mfi launcher', 'mfi runner')"), '2',
	'launcher and runner are in pg_stat_activity');
$session->quit;
$node->wait_state($held, 'succeeded');
like($node->error("BEGIN; LOCK TABLE portals; SELECT mfi_backup_now(wait => true)"),
	qr/this transaction holds a lock.*locks "portals".*Commit first/s, 'a caller that would wait for itself is told so');

# Verdict and plans.
is($node->sql('SELECT verdict, array_length(next_steps, 1) > 0, last_verified > now() - interval \'1 hour\', next_run FROM mfi_backup_health'),
	'warning|t|t|', 'health without a schedule');
like($node->sql('SELECT reasons FROM mfi_backup_health'), qr/no-schedule: .*backups-on-same-device: /, 'its reasons');
$node->set('mfi.backup_schedule' => q('30 3 * * *'), 'mfi.backup_timezone' => q('Africa/Kigali'));
$node->wait_sql("SELECT next_run::time AT TIME ZONE 'UTC' = '01:30+00' FROM mfi_backup_health");
is($node->sql("SELECT run_at, local_time, zone, slot FROM mfi_backup_next_runs(2, after => '2026-02-28 12:00+00')"),
	"2026-03-01 01:30:00+00|2026-03-01 03:30|Africa/Kigali|2026-03-01T03:30\n2026-03-02 01:30:00+00|2026-03-02 03:30|Africa/Kigali|2026-03-02T03:30",
	'next runs');
is($node->sql("SELECT run_at FROM mfi_backup_next_runs(1, '0 2 * * *', 'Europe/Berlin', '2026-03-28 12:00+00')"),
	'2026-03-29 01:00:00+00', 'next runs of another text and zone');
is($node->sql('SELECT DISTINCT decision, reason FROM mfi_backup_retention_preview() ORDER BY 2'),
	"keep|kept: newest verified set\nkeep|kept: one of the newest 3 good sets", 'retention preview');
is($node->sql('SELECT id FROM mfi_backup_retention_preview() ORDER BY id'), join("\n", sort $first, $id, $held), 'names each set');
unlike($node->sql('SELECT reasons FROM mfi_health()'), qr/not-preloaded|launcher-down|setting-invalid|schema-/, 'node is well');

$node->recovers_ok('at the end');
$node->stop;

# A verified set younger than an hour makes the run on start needless.
$node->start;
$node->launcher_ready;
$node->wait_sql("SELECT next_run IS NOT NULL FROM mfi_backup_health");
is($node->sql("SELECT count(*) FROM mfi_backups WHERE trigger = 'start'"), '1', 'no second run on start');
is($node->sql('SELECT count(*) FROM mfi_backup_progress'), '0', 'and none is going on');
$node->stop;
done_testing();
