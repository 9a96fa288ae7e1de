package MfiPlanted;

# Objects of a role that is no superuser, made to run where a superuser works. Each says in the server's log as whom it ran, and
# tries to make its role a superuser.

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;
our @EXPORT_OK = qw(plant_functions decoy_functions decoy_operators nothing_planted_ran ran_as);

# app.says(KIND), immutable as indexes and checks want it, which says and tries.
sub plant_functions
{
	return <<'SQL';
CREATE FUNCTION app.tries() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  BEGIN EXECUTE 'RESET ROLE'; EXCEPTION WHEN OTHERS THEN NULL; END;
  BEGIN EXECUTE 'RESET SESSION AUTHORIZATION'; EXCEPTION WHEN OTHERS THEN NULL; END;
  BEGIN EXECUTE 'ALTER ROLE app SUPERUSER'; EXCEPTION WHEN OTHERS THEN NULL; END;
  BEGIN EXECUTE 'CREATE TABLE app.marker_of_a_superuser AS SELECT rolpassword FROM pg_catalog.pg_authid'; EXCEPTION WHEN OTHERS THEN NULL; END;
END $$;
CREATE FUNCTION app.says(kind text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RAISE LOG 'planted <%> ran as <%>', kind, current_user;
  PERFORM app.tries();
  RETURN true;
END $$;
CREATE FUNCTION app.fires() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM app.says('trigger ' || TG_NAME);
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
SQL
}

# Overloads of every function of the extension, as SQL text: with an argument of another type; or, with `further`, one more that has a
# default, which makes a call ambiguous.
sub decoy_functions
{
	my ($node, $database, $further) = @_;
	my $wanted = $further ? 'true' : 'false';
	return $node->safe_psql($database, <<"SQL");
WITH own AS (
  SELECT p.oid, p.proname, ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, n) ORDER BY n) AS types
    FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'mfi'),
other AS (
  SELECT DISTINCT format_type(unnest(ARRAY['text', 'name', 'varchar', 'regclass', 'oid', 'integer', 'bigint', 'smallint', 'numeric', 'jsonb', 'json', 'uuid', 'text[]', 'name[]', 'regclass[]', 'oid[]', 'anyelement', 'anyarray', 'anycompatible', 'timestamptz', 'timestamp', 'date', 'interval', 'boolean', '"char"', 'integer[]']::regtype[]), NULL) AS type),
decoy AS (
  SELECT proname, types[1:i - 1] || other.type || types[i + 1:] AS types, '' AS more FROM own, generate_subscripts(types, 1) AS i, other WHERE NOT $wanted
  UNION
  SELECT proname, types, CASE types WHEN '{}' THEN '' ELSE ', ' END || 'further integer DEFAULT 0' FROM own WHERE $wanted
  UNION
  SELECT proname, array_fill('text'::text, ARRAY[cardinality(types)]), '' FROM own WHERE types <> '{}' AND NOT $wanted)
SELECT format('CREATE FUNCTION public.%I(%s%s) RETURNS text LANGUAGE plpgsql AS \$\$ BEGIN PERFORM app.says(%L); RETURN NULL; END \$\$;',
              proname, array_to_string(types, ', '), more, 'overload ' || proname || '(' || array_to_string(types, ', ') || more || ')')
  FROM decoy
 WHERE NOT EXISTS (SELECT FROM own o WHERE o.proname = decoy.proname AND o.types = decoy.types AND more = '')
SQL
}

# Operators between the types that the extension's SQL compares, in a schema: as SQL text.
sub decoy_operators
{
	my ($schema) = @_;
	my @types = qw(text name "char" oid regclass integer bigint smallint numeric timestamptz timestamptz[] text[] name[] integer[] smallint[] jsonb uuid interval boolean pg_lsn);
	my $sql = "CREATE FUNCTION $schema.compares(anyelement, anyelement) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN PERFORM app.says(''operator''); RETURN true; END';\n";
	for my $left (@types)
	{
		for my $right (@types)
		{
			$sql .= "CREATE FUNCTION $schema.compares($left, $right) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN PERFORM app.says(''operator''); RETURN true; END';\n";
			$sql .= "CREATE OPERATOR $schema.$_ (LEFTARG = $left, RIGHTARG = $right, FUNCTION = $schema.compares);\n" for '=', '<>', '<', '>', '<=', '>=', '||', '~', '-', '+', '->', '->>';
		}
	}
	return $sql;
}

# As whom what was planted has run so far: kind => role.
sub ran_as
{
	my ($node, $from) = @_;
	my @found;
	my $log = slurp_file($node->logfile, $from // 0);
	push @found, [ $1, $2 ] while $log =~ /planted <([^>]*)> ran as <([^>]*)>/g;
	return @found;
}

# No superuser ran any of it, and none of it has become one.
sub nothing_planted_ran
{
	my ($node, $database, $name, $from, %params) = @_;
	my @superusers = map { "$_->[0] as $_->[1]" } grep { $_->[1] eq 'postgres' || !$params{allowed} } ran_as($node, $from);
	my %seen;
	is(join(', ', grep { !$seen{$_}++ } @superusers), '', "$name: nothing of others ran" . ($params{allowed} ? ' as a superuser' : ''));
	is($node->safe_psql($database, "SELECT rolsuper, to_regclass('app.marker_of_a_superuser') IS NULL FROM pg_roles WHERE rolname = 'app'"),
		'f|t', "$name: and nobody has become one");
	return;
}

1;
