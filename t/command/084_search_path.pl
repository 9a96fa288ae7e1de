# The operator's scripts find mfi's functions wherever the extension is, whatever search_path says; nothing that others put
# before them on it is called.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use IPC::Run ();
use MfiPair qw(pair catch_up);
use MfiCommand qw(does_ok);
use Test::More;

my ($node, $standby) = pair();

# command(DATABASE, NAME, ARGUMENT...): "exit code what it said"
sub says
{
	my ($database, $name, @arguments) = @_;
	local %ENV = $node->_get_env(PGDATABASE => $database);
	my $said = '';
	IPC::Run::run([ "timeout", "60", 'mfi', $name, @arguments ], '<', \'', '>&', \$said);
	return ($? >> 8) . " $said";
}
sub scripts_work
{
	my ($what, $database) = @_;
	like(says($database, 'health', 'node'), qr/^[01] (?:ok|warning)/, "$what: mfi health");
	like(says($database, 'backup', 'a note'), qr/^0 backup \S+\n.*succeeded: /s, "$what: mfi backup");
	return;
}

# Each place a search_path is set at, and names that only quotes make one name.
my $user = $node->sql('SELECT quote_ident(current_user)');
for my $case (
	[ 'the database', 'ALTER DATABASE mfi_banking SET search_path = nowhere', 'ALTER DATABASE mfi_banking RESET search_path' ],
	[ 'the role', "ALTER ROLE $user SET search_path = ''", "ALTER ROLE $user RESET search_path" ],
	[ 'the role in the database', "ALTER ROLE $user IN DATABASE mfi_banking SET search_path = '\$user', \"No, Where\"", "ALTER ROLE $user IN DATABASE mfi_banking RESET search_path" ])
{
	my ($what, $do, $undo) = @$case;
	$node->sql($do);
	scripts_work("search_path of $what", 'mfi_banking');
	$node->sql($undo);
}
$node->set(search_path => 'nowhere');
scripts_work('search_path of postgresql.conf', 'mfi_banking');
$node->set(search_path => 'DEFAULT');

# Somebody's schema stands before all: functions, and operators of the server's own types.
$node->sql(q{CREATE SCHEMA hostile; CREATE TABLE hostile.caught (what text);
	CREATE FUNCTION hostile.mfi_health(scope text DEFAULT 'all') RETURNS TABLE (verdict text, reasons text[], next_steps text[]) LANGUAGE sql AS $$ INSERT INTO hostile.caught VALUES ('mfi_health'); SELECT 'ok', '{caught}'::text[], '{}'::text[] $$;
	CREATE FUNCTION hostile.mfi_backup_now(note text DEFAULT '', wait boolean DEFAULT false) RETURNS text LANGUAGE sql AS $$ INSERT INTO hostile.caught VALUES ('mfi_backup_now'); SELECT 'caught' $$;
	CREATE FUNCTION hostile.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS $$ INSERT INTO hostile.caught VALUES ('set_config'); SELECT '' $$;
	CREATE FUNCTION hostile.format(text, name) RETURNS text LANGUAGE sql AS $$ INSERT INTO hostile.caught VALUES ('format'); SELECT '' $$;
	CREATE FUNCTION hostile.same(oid, oid) RETURNS boolean LANGUAGE sql AS $$ INSERT INTO hostile.caught VALUES ('='); SELECT true $$;
	CREATE OPERATOR hostile.= (FUNCTION = hostile.same, LEFTARG = oid, RIGHTARG = oid);
	CREATE VIEW hostile.pg_extension AS SELECT 'mfi'::name AS extname, 'hostile'::regnamespace::oid AS extnamespace;
	CREATE VIEW hostile.mfi_backups AS SELECT 'succeeded' AS state, NULL::text AS error, 'ok' AS verify_result, 1 AS size_bytes, 'caught' AS id, 'list' AS verify_method;
	ALTER DATABASE mfi_banking SET search_path = hostile, pg_catalog, public});
scripts_work('a hostile schema before all', 'mfi_banking');
is($node->sql('SELECT count(*) FROM hostile.caught'), '0', 'and nothing in it was called');

# The extension in a schema of its own, with a name that needs its quotes.
$node->sql('DROP SCHEMA hostile CASCADE; ALTER DATABASE mfi_banking RESET search_path');
my $schema = '"Its Own, Schema"';
$node->safe_psql('postgres', 'CREATE DATABASE elsewhere');
$node->safe_psql('elsewhere', qq{CREATE SCHEMA $schema; CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION pgcrypto; CREATE EXTENSION mfi SCHEMA $schema});
like(says('elsewhere', 'health', 'backup'), qr/^[01] (?:ok|warning)/, 'in a schema of its own: mfi health');
like(says('elsewhere', 'backup'), qr/^0 backup \S+\n.*succeeded: /s, 'in a schema of its own: mfi backup');

# Promotion by a superuser whose search_path leads elsewhere.
$node->safe_psql('postgres', q{CREATE SCHEMA hostile; CREATE FUNCTION hostile.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT false';
	CREATE FUNCTION hostile.pg_promote(boolean, integer) RETURNS boolean LANGUAGE sql AS 'SELECT false'; ALTER DATABASE postgres SET search_path = hostile, pg_catalog});
catch_up($node, $standby);
$node->stop;
like(does_ok('mfi promote past a hostile schema', $standby, 'promote', '--primary-is-down'), qr/this node is the primary, on timeline 2/, 'it is the primary');
$standby->stop;
done_testing();
