package MfiListing;

# A database as text, one line for each fact: definitions, privileges, comments, membership in
# extensions, positions of sequences, rows. Two databases are equal when their listings are.

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use Test::More;
our @EXPORT_OK = qw(listing definitions rows same_listing);

my $definitions = <<'SQL';
SET search_path = '';
SET timezone = 'UTC';
CREATE FUNCTION pg_temp.acl(acl aclitem[]) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('%s=%s%s by %s', CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,
                           privilege_type, CASE WHEN is_grantable THEN '*' END, grantor::regrole), ', '
                    ORDER BY grantee::regrole::text COLLATE "C", privilege_type COLLATE "C")
    FROM aclexplode(acl) $$;
CREATE TEMP VIEW spaces AS
  SELECT oid, nspname, nspowner, nspacl FROM pg_namespace
   WHERE nspname !~ '^pg_' AND nspname <> 'information_schema';
CREATE TEMP VIEW relations AS
  SELECT * FROM pg_class WHERE relnamespace IN (SELECT oid FROM pg_temp.spaces);

SELECT * FROM (
SELECT format('extension %s %s in %s', extname, extversion, extnamespace::regnamespace) AS line FROM pg_extension
UNION ALL
SELECT format('member of %s: %s', e.extname, pg_describe_object(d.classid, d.objid, d.objsubid))
  FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
 WHERE d.deptype = 'e'
UNION ALL
SELECT format('initial privileges of %s: %s', pg_describe_object(classoid, objoid, objsubid), pg_temp.acl(initprivs))
  FROM pg_init_privs WHERE privtype = 'e'
UNION ALL
SELECT format('schema %I of %s: %s', nspname, nspowner::regrole, pg_temp.acl(coalesce(nspacl, acldefault('n', nspowner))))
  FROM pg_temp.spaces
UNION ALL
SELECT format('relation %s kind %s of %s, options %s, row security %s, partitioned by %s, partition %s %s: %s',
              oid::regclass, relkind, relowner::regrole, reloptions, relrowsecurity, pg_get_partkeydef(oid),
              pg_get_expr(relpartbound, oid), (SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = c.oid),
              pg_temp.acl(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))))
  FROM pg_temp.relations c WHERE relkind IN ('r', 'p', 'v', 'm', 'S')
UNION ALL
SELECT format('column %s.%I number %s: %s collation %s, not null %s, identity %s, generated %s, default %s: %s',
              attrelid::regclass, attname, row_number() OVER (PARTITION BY attrelid ORDER BY attnum),
              format_type(atttypid, atttypmod), attcollation::regcollation, attnotnull, attidentity, attgenerated,
              pg_get_expr(adbin, adrelid), pg_temp.acl(attacl))
  FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
 WHERE attnum > 0 AND NOT attisdropped
   AND attrelid IN (SELECT oid FROM pg_temp.relations WHERE relkind IN ('r', 'p', 'v', 'm'))
UNION ALL
SELECT format('constraint %I on %s valid %s: %s', conname, conrelid::regclass, convalidated, pg_get_constraintdef(oid))
  FROM pg_constraint WHERE conrelid IN (SELECT oid FROM pg_temp.relations)
UNION ALL
SELECT format('index valid %s: %s', indisvalid, pg_get_indexdef(indexrelid))
  FROM pg_index WHERE indrelid IN (SELECT oid FROM pg_temp.relations)
UNION ALL
SELECT format('trigger enabled %s: %s', tgenabled, pg_get_triggerdef(oid))
  FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN (SELECT oid FROM pg_temp.relations)
UNION ALL
SELECT format('view %s: %s', oid::regclass, pg_get_viewdef(oid)) FROM pg_temp.relations WHERE relkind IN ('v', 'm')
UNION ALL
SELECT format('policy %I on %s: %s', polname, polrelid::regclass, pg_get_expr(polqual, polrelid)) FROM pg_policy
UNION ALL
SELECT format('function %s: %s: %s', oid::regprocedure, pg_get_functiondef(oid),
              pg_temp.acl(coalesce(proacl, acldefault('f', proowner))))
  FROM pg_proc WHERE prokind = 'f' AND pronamespace IN (SELECT oid FROM pg_temp.spaces)
UNION ALL
SELECT format('sequence %I.%I: %s', schemaname, sequencename, (to_jsonb(s) - 'last_value'))
  FROM pg_sequences s
UNION ALL
SELECT format('comment on %s: %s', pg_describe_object(classoid, objoid, objsubid), description)
  FROM pg_description WHERE objoid >= 16384
) AS listing ORDER BY line COLLATE "C";
SQL

my $row_queries = <<'SQL';
SELECT CASE relkind
       WHEN 'S' THEN format('SELECT ''position of %1$s '' || last_value || '' '' || is_called FROM %1$s;', oid::regclass)
       ELSE format('SELECT ''row of %1$s '' || to_jsonb(t)::text FROM %1$s t ORDER BY to_jsonb(t)::text COLLATE "C";', oid::regclass)
       END
  FROM pg_class
 WHERE relkind IN ('r', 'S', 'm') AND relispopulated AND relpersistence = 'p'
   AND relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
   AND oid IS DISTINCT FROM to_regclass('mfi.audit_watch')
 ORDER BY oid::regclass::text COLLATE "C";
SQL

# Everything but rows and positions of sequences.
sub definitions
{
	my ($node, $database) = @_;
	return $node->safe_psql($database, $definitions);
}

# Every row of every table, and where the sequences stand; but not what the worker has seen of a database, and when.
sub rows
{
	my ($node, $database) = @_;
	my $queries = $node->safe_psql($database, "SET search_path = ''; $row_queries");
	return $node->safe_psql($database, "SET search_path = ''; SET timezone = 'UTC'; $queries");
}

sub listing
{
	my ($node, $database) = @_;
	return definitions($node, $database) . "\n" . rows($node, $database);
}

# Compares line by line, so that a failure shows the lines that differ and no others.
sub same_listing
{
	my ($got, $expected, $name) = @_;
	my (%left, %right);
	$left{$_}++ for split /\n/, $got;
	$right{$_}++ for split /\n/, $expected;
	my @differences = map { ($left{$_} // 0) == ($right{$_} // 0) ? () : ($right{$_} ? "- $_" : "+ $_") }
	  sort keys %{ { %left, %right } };
	return is(join("\n", @differences), '', $name);
}

1;
