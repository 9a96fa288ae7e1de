# Without shared_preload_libraries: the schema works, and what needs the launcher says so, with the way out.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use Test::More;

my $node = MfiNode->prepared('bank', conf => "shared_preload_libraries = ''\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE mfi_banking');
$node->sql('CREATE EXTENSION mfi CASCADE');
is($node->sql('SELECT mfi_schema_version(), count(*) > 0 FROM mfi_type'), '1.1|t', 'the schema is there');
is($node->sql("UPDATE mfi_type SET name = name || ' 2' WHERE id = (SELECT min(id) FROM mfi_type) RETURNING updated_at >= now()"), 't',
	'and its triggers work');

my $hint = qr/the mfi library is not loaded at server start.*HINT:  Set shared_preload_libraries = 'mfi' in postgresql.conf and restart/s;
like($node->error($_), $hint, $_) for 'SELECT mfi_backup_now()', 'SELECT mfi_backup_now(wait => true)', q{SELECT mfi_backup_cancel('x')},
  q{SELECT mfi_backup_verify('mfi_banking_20260101T020000Z')}, 'SELECT mfi_recovery_base_now()', 'SELECT mfi_recovery_drill()', 'SELECT mfi_offsite_drill()';
is($node->sql('SELECT count(*) FROM mfi_backups'), '0', 'mfi_backups can be read');
is($node->sql('SELECT count(*) FROM mfi_backup_progress'), '0', 'so can mfi_backup_progress');
is($node->sql('SELECT receiver_state FROM mfi_recovery'), 'off', 'and mfi_recovery');
like($node->sql("SELECT verdict, reasons, next_steps FROM mfi_health('node')"),
	qr/^critical\|.*not-preloaded: .*Set shared_preload_libraries = 'mfi'/, 'the node says not-preloaded');
like($node->sql('SELECT verdict, reasons FROM mfi_backup_health'), qr/^critical\|.*not-preloaded: /, 'so do the backups');
is($node->sql("SELECT count(*) FROM regexp_matches((SELECT reasons::text FROM mfi_health()), 'not-preloaded', 'g')") > 0, 1, 'and the sum');
isnt($node->sql('SELECT verdict FROM mfi_replication_status()'), 'ok', 'replication that nobody watches is not ok');
like($node->sql('SELECT verdict, reasons, next_steps FROM mfi_replication_health'), qr/^unknown\|.*cannot-know: .*shared_preload_libraries/,
	'but unknown, with the way out');
is($node->sql(q{SELECT count(*) FROM mfi_backup_next_runs(3, '@daily', 'UTC')}), '3', 'the schedule can be asked for');

# With the library, from the next start on.
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'mfi'");
$node->restart;
$node->recovers_ok('loaded');
$node->stop;
done_testing();
