package MfiFresh;

# A cluster that knows nothing of the one whose backups it gets: what `mfi restore` makes there is compared with the source, never by
# numbers alone.

use strict;
use warnings FATAL => 'all';
use IPC::Run ();
use MfiListing qw(same_listing);
use PostgreSQL::Test::Cluster;
use Test::More;
use Time::HiRes qw(time);

# Nothing that a database or a role has set hinders the look at it, starts its event triggers, or changes how values are shown.
my $neutral = join ' ', map { "-c $_" } 'event_triggers=off', 'statement_timeout=0', 'lock_timeout=0', 'idle_in_transaction_session_timeout=0', 'role=none',
  'search_path=pg_catalog,pg_temp', 'default_transaction_read_only=off', 'default_transaction_isolation=read\ committed', 'row_security=off', 'quote_all_identifiers=off',
  'session_replication_role=origin', 'standard_conforming_strings=on', 'DateStyle=ISO', 'TimeZone=UTC', 'IntervalStyle=postgres', 'bytea_output=hex', 'client_min_messages=warning';

# Hash partitions by an enum are loaded through their root, where rows go to other leaves: what is compared is the root.
my $facts = <<'SQL';
CREATE FUNCTION pg_temp.contents(relation oid, OUT rows int8, OUT hash text) LANGUAGE c STABLE STRICT AS '$libdir/mfi', 'mfi_contents';
CREATE FUNCTION pg_temp.stands_at(sequence oid) RETURNS int8 LANGUAGE c VOLATILE STRICT AS '$libdir/mfi', 'mfi_sequence_position';
CREATE TEMP VIEW relations AS SELECT c.*, format('%I.%I', nspname, relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
 WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND relpersistence <> 't' AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_extension e
       ON d.refobjid = e.oid WHERE d.refclassid = 'pg_extension'::regclass AND d.objid = c.oid AND d.deptype = 'e' AND c.oid <> ALL (coalesce(extconfig, '{}')));
CREATE TEMP VIEW scattered AS SELECT oid, pg_partition_root(oid) AS root FROM relations c WHERE relispartition AND relkind = 'r'
   AND EXISTS (SELECT FROM pg_partition_ancestors(c.oid) a JOIN pg_partitioned_table p ON p.partrelid = a.relid WHERE partstrat = 'h');
SELECT format('table %s: %s rows, %s', name, rows, hash) FROM relations c, pg_temp.contents(c.oid)
 WHERE relkind = 'r' AND oid NOT IN (SELECT oid FROM scattered) ORDER BY name COLLATE "C";
SELECT format('SELECT %L || t FROM %s t ORDER BY t::text COLLATE "C";', 'row of ' || root::regclass || ': ', root::regclass) FROM (SELECT DISTINCT root FROM scattered) s \gexec
SELECT format('materialized view %s: filled %s', name, relispopulated) FROM relations WHERE relkind = 'm' ORDER BY name COLLATE "C";
SELECT format('sequence %s stands at %s', name, pg_temp.stands_at(oid)) FROM relations WHERE relkind = 'S' ORDER BY name COLLATE "C";
SELECT format('large objects: %s pages, %s', rows, hash) FROM pg_temp.contents(2613);
SELECT format('large object %s of %s: %s', oid, lomowner::regrole, lomacl) FROM pg_largeobject_metadata ORDER BY oid;
SELECT format('extension %s %s', extname, extversion) FROM pg_extension ORDER BY extname;
SQL

# fresh(NAME, CONF): running, with no database and no role of anybody's; of mfi it has the program and the library alone.
sub fresh
{
	my ($name, $conf) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
	$node->append_conf('postgresql.conf', "TimeZone = 'UTC'\n$conf");
	$node->start;
	return $node;
}

# (exit code, what it printed, what it said)
sub run_in
{
	my ($node, $environment, $input, @command) = @_;
	local %ENV = $node->_get_env(%$environment);
	my ($out, $said) = ('', '');
	IPC::Run::run([@command], '<', \$input, '>', \$out, '2>', \$said);
	return ($? >> 8, $out, $said);
}

# A database as lines: its definitions with its owner, locale, privileges and settings, as pg_dump writes them, and what is in it.
sub lines_of
{
	my ($node, $database) = @_;
	my $look = sub {
		my ($code, $out, $said) = run_in($node, { PGOPTIONS => $neutral, PGCLIENTENCODING => 'SQL_ASCII' }, @_);
		$code == 0 or die "a look at database $database: $said";
		return $out;
	};
	my $definitions = $look->('', 'pg_dump', '--create', '--schema-only', $database);
	$definitions =~ s/^\\(?:un)?restrict .*\n//mg;    # another word each time
	return $definitions . $look->($facts, 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', $database, '-f', '-');
}

# restored_ok(NAME, FRESH, SOURCE, DATABASE, SET, BEFORE-LOOK): the set's database, restored with the set's roles under its own name, is the
# source's. BEFORE-LOOK is called once it is restored: a look at thousands of tables in one transaction needs more locks than a restore.
sub restored_ok
{
	my ($name, $fresh, $source, $database, $set, $before_look) = @_;
	my $began = time;
	my ($code, $said, $error) = run_in($fresh, {}, '', 'mfi', 'restore', '--globals', '--into', $database, $set);
	is($code, 0, "$name: restored on a fresh cluster") or return diag("$said$error");
	my $restored = time;
	$before_look->() if $before_look;
	same_listing(lines_of($fresh, $database), lines_of($source, $database), "$name: what is there is what was backed up");
	return note sprintf 'restored in %.1f s, compared in %.1f s', $restored - $began, time - $restored;
}

sub drop
{
	my ($fresh, $database) = @_;
	$fresh->safe_psql('postgres', qq(DROP DATABASE IF EXISTS "$database" WITH (FORCE)));
	return;
}

1;
