# Who may do what: PUBLIC nothing, pg_monitor reads, actions are granted one by one.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiNode;
use Test::More;

my $node = MfiNode->bank('bank');
$node->sql('CREATE ROLE plain LOGIN; CREATE ROLE monitor LOGIN IN ROLE pg_monitor; CREATE ROLE operator LOGIN');
my $id = $node->backup_ok;

my %reads = map { $_ => "SELECT count(*) FROM $_" } 'mfi_backups', 'mfi_backup_progress', 'mfi_backup_health',
  'mfi_replication_health', 'mfi_replication_status()', 'mfi_replication_history()', 'mfi_health()', 'mfi_backup_next_runs(1)',
  'mfi_backup_retention_preview()', 'mfi_recovery', 'mfi_recovery_backups', 'mfi_recovery_drills', 'mfi_offsite', 'mfi_offsite_copies', 'mfi_offsite_drills', '_mfi_recovery()',
  '_mfi_offsite()', '_mfi_offsite_copies()', '_mfi_offsite_drills()', '_mfi_recovery_backups()', '_mfi_recovery_drills()', '_mfi_backups()', '_mfi_backup_progress()', '_mfi_backup_health()',
  '_mfi_replication_health()', q{_mfi_health('all', '{}')}, qq{_mfi_backup_tables('$id')};
my %actions = (
	'mfi_backup_now' => 'SELECT mfi_backup_now(wait => true)',
	'mfi_backup_cancel' => "SELECT mfi_backup_cancel('$id')",
	'mfi_backup_hold' => "SELECT mfi_backup_hold('$id', 'kept')",
	'mfi_backup_release' => "SELECT mfi_backup_release('$id')",
	'mfi_backup_adopt' => "SELECT mfi_backup_adopt('$id')",
	'mfi_backup_verify' => "SELECT mfi_backup_verify('$id')",
	'mfi_recovery_base_now' => 'SELECT mfi_recovery_base_now()',
	'mfi_recovery_drill' => 'SELECT mfi_recovery_drill()',
	'mfi_offsite_drill' => 'SELECT mfi_offsite_drill()');

sub as
{
	my ($role, $sql) = @_;
	my ($status, $out, $err) = $node->psql('mfi_banking', $sql, extra_params => [ '-U', $role ]);
	return $status == 0 ? 'ok' : $err =~ /permission denied/ ? 'denied' : $err;
}

# Nothing of the extension that does something is left to PUBLIC: the catalogue and the attempts agree.
is($node->sql(<<'SQL'), '', 'no function about backups, recovery, replication or health for PUBLIC');
SELECT p.oid::regprocedure FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
 WHERE a.grantee = 0 AND p.proname ~ '^_?mfi_(backup|recovery|offsite|replication|health)'
SQL
is($node->sql(<<'SQL'), '', 'no view about them either');
SELECT c.oid::regclass FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
 WHERE a.grantee = 0 AND c.relname ~ '^mfi_(backup|recovery|offsite|replication|health)'
SQL
is($node->sql(<<'SQL'), join("\n", sort keys %actions), 'and the actions of this test are all there are');
SELECT proname FROM pg_proc p WHERE proname ~ '^_?mfi_(backup|recovery|offsite|replication|health)' AND prokind = 'f'
   AND NOT has_function_privilege('pg_monitor', p.oid, 'EXECUTE') ORDER BY proname COLLATE "C"
SQL

for my $what (sort keys %reads)
{
	is(as('plain', $reads{$what}), 'denied', "plain role: $what is denied");
	is(as('monitor', $reads{$what}), 'ok', "pg_monitor: $what is read");
}
for my $action (sort keys %actions)
{
	is(as($_, $actions{$action}), 'denied', "$_: $action is denied") for 'plain', 'monitor', 'operator';
}
$node->sql('GRANT EXECUTE ON FUNCTION mfi_backup_now(boolean, text), mfi_backup_cancel(text), mfi_backup_hold(text, text),'
	  . ' mfi_backup_release(text), mfi_backup_verify(text), mfi_backup_adopt(text) TO operator');
is(as('operator', $actions{$_}), 'ok', "operator: $_ after its GRANT") for 'mfi_backup_now', 'mfi_backup_hold', 'mfi_backup_release', 'mfi_backup_verify';
like(as('operator', $actions{mfi_backup_cancel}), qr/is over: succeeded/, 'operator: mfi_backup_cancel after its GRANT');
like(as('operator', $actions{mfi_backup_adopt}), qr/is not foreign/, 'operator: mfi_backup_adopt after its GRANT');

# A caller's own settings and search_path mean nothing to the verdicts.
$node->sql('CREATE SCHEMA trap; GRANT USAGE ON SCHEMA trap TO PUBLIC; ALTER ROLE monitor SET search_path = trap, public;'
	  . "CREATE FUNCTION trap._mfi_schema_ready() RETURNS boolean LANGUAGE sql AS 'SELECT false'");
unlike($node->safe_psql('mfi_banking', 'SELECT reasons FROM public.mfi_health()', extra_params => [ '-U', 'monitor' ]),
	qr/schema-missing/, 'mfi_health() finds its own functions');
$node->stop;
done_testing();
