# Work on a table of somebody else runs as its owner, who can do nothing more by it: adoption, migration, the partitions that the
# worker makes, the views that are made anew. What stands on the table is whatever a role that owns it, or was given ALL on it, can put there.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiInterface qw(inserts interface_tables legacy_schema);
use MfiNode;
use MfiPlanted qw(nothing_planted_ran plant_functions ran_as);
use Test::More;

my $node = MfiNode->bank('bank', database => 'mfi_banking', conf => "log_statement = none\n");
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN; CREATE ROLE monitor LOGIN IN ROLE pg_monitor');

# On a table of app, by app.
sub planted_on
{
	my ($table, $column) = @_;
	return <<"SQL";
ALTER TABLE $table ADD COLUMN d app.hostile DEFAULT 'x', ADD COLUMN g boolean GENERATED ALWAYS AS (app.says('generated ' || $column)) STORED,
  ADD COLUMN e boolean DEFAULT app.says('default'), ADD CHECK (app.says('check')), ADD CHECK (app.says('check of a row ' || $column));
CREATE INDEX ON $table ((app.says('index ' || $column)));
CREATE INDEX ON $table ((app.says('constant index')));
CREATE INDEX ON $table ($column) WHERE app.says('predicate');
CREATE STATISTICS app.statistics_$table ON (app.says('statistics ' || $column)), $column FROM $table;
CREATE STATISTICS app.constant_$table ON (app.says('constant statistics') OR $column IS NULL), $column FROM $table;
CREATE TRIGGER always BEFORE INSERT OR UPDATE OR DELETE ON $table FOR EACH ROW EXECUTE FUNCTION app.fires();
ALTER TABLE $table ENABLE ALWAYS TRIGGER always;
CREATE TRIGGER statement AFTER INSERT OR UPDATE OR DELETE ON $table EXECUTE FUNCTION app.fires();
CREATE RULE r AS ON UPDATE TO $table DO ALSO INSERT INTO app.ruled VALUES (app.says('rule'));
CREATE POLICY p ON $table USING (app.says('policy'));
ALTER TABLE $table ENABLE ROW LEVEL SECURITY;
SQL
}

# Tables that others refer to: a new foreign key, or a partition that has one, reads them, too.
my @referenced = ('activity_type', 'platform_type', 'mfi_clients', 'digital_platforms');

sub prepare
{
	my ($database, $schema) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION pgcrypto');
	$node->safe_psql($database, $schema);
	$node->safe_psql($database, 'CREATE SCHEMA app AUTHORIZATION app; GRANT USAGE ON SCHEMA app TO PUBLIC; GRANT CREATE ON SCHEMA public TO app');
	$node->safe_psql($database, join('', map { "$_;" } map { inserts($_) } interface_tables())) if $schema !~ /CREATE EXTENSION mfi/;
	$node->safe_psql($database, join('', map { "ALTER TABLE $_ OWNER TO app;" } 'user_auth_logs', 'admin_event_logs', 'mfi_country', 'mfi_type', @referenced));
	# With ALL on tables that belong to the superuser.
	$node->safe_psql($database, 'GRANT SELECT ON activity_type TO app; GRANT ALL ON portals, portal_groups, mfi_groups, user_activity_logs, portal_users TO app');
	$node->safe_psql($database, plant_functions() . "CREATE TABLE app.ruled (seen boolean); CREATE DOMAIN app.hostile AS text CHECK (app.says('domain'));"
		  . planted_on('user_auth_logs', 'event_type') . planted_on('admin_event_logs', 'operation_type')
		  . planted_on('mfi_country', 'name') . join('', map { "CREATE STATISTICS app.constant_$_ ON (app.says('constant statistics of $_') OR id IS NULL), name FROM $_; CREATE INDEX ON $_ (id) WHERE app.says('predicate of $_');" } @referenced) . <<'SQL', extra_params => [ '-U', 'app' ]);
ALTER TABLE mfi_country ADD EXCLUDE USING btree (name WITH =, (app.says('exclusion ' || name)) WITH =) WHERE (app.says('predicate of an exclusion'));
CREATE TYPE app.kind AS ENUM ('a'); CREATE FUNCTION app.cast_kind(app.kind) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM app.says(''cast''); RETURN ''a''; END';
CREATE CAST (app.kind AS text) WITH FUNCTION app.cast_kind(app.kind) AS IMPLICIT;
ALTER TABLE mfi_country ADD COLUMN kind app.kind DEFAULT 'a', ADD COLUMN kind_text text GENERATED ALWAYS AS (lower(kind) || name) STORED;
CREATE CONSTRAINT TRIGGER deferred AFTER INSERT OR UPDATE OR DELETE ON mfi_country DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.fires();
CREATE TRIGGER by_all BEFORE INSERT OR UPDATE OR DELETE ON user_activity_logs FOR EACH ROW EXECUTE FUNCTION app.fires();
CREATE TRIGGER by_all_statement AFTER INSERT OR UPDATE OR DELETE ON user_activity_logs EXECUTE FUNCTION app.fires();
CREATE CONSTRAINT TRIGGER by_all_deferred AFTER INSERT OR UPDATE OR DELETE ON user_activity_logs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.fires();
CREATE MATERIALIZED VIEW app.filled AS SELECT app.says('materialized view ' || name), created_on FROM portals;
CREATE MATERIALIZED VIEW app.filled_again AS SELECT *, app.says('second view') AS again FROM app.filled;
CREATE INDEX ON app.filled (created_on, says) WHERE app.says('index of a view');
CREATE VIEW app.plain AS SELECT id, app.says('view') AS seen, event_time FROM user_auth_logs;
SQL
	return;
}
sub by_app { return $node->safe_psql($_[0], $_[1], extra_params => [ '-U', 'app' ]) }
sub as_owner_only
{
	my ($database, $name, $from) = @_;
	nothing_planted_ran($node, $database, $name, $from, allowed => 1);
	return;
}

# What is planted is heard, as its owner.
prepare('adopted', legacy_schema());
$node->safe_psql('adopted', "INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) VALUES ('LOGIN', 'c', '00000000-0000-0000-0000-00000000000a', '2025-01-01')", extra_params => [ '-U', 'app' ]);
my %heard = map { ($_->[0] =~ s/ (?:LOGIN|of a row).*//r => $_->[1]) } ran_as($node);
is($heard{$_} // 'not heard', 'app', "$_ is heard") for 'check', 'domain', 'generated', 'index', 'constant index', 'predicate', 'default', 'trigger always';
my $from = -s $node->logfile;

# Adoption, from the beginning to 1.1.
my ($status, $out, $err) = $node->psql('adopted', 'CREATE EXTENSION mfi');
is($status, 0, 'adopted') or diag($err);
is($node->safe_psql('adopted', 'SELECT mfi_schema_version(), _mfi_schema_ready()'), '1.1|t', 'all of it');
as_owner_only('adopted', 'adoption', $from);
%heard = map { ($_->[0] => $_->[1]) } ran_as($node, $from);
cmp_ok(scalar(keys %heard), '>', 3, 'adoption did run what was planted, as its owner') or diag(join(', ', sort keys %heard));
is(by_app('adopted', 'SELECT count(*) > 0 FROM app.filled'), 't', 'the materialized view is filled again');
is(by_app('adopted', 'SELECT count(*) > 0 FROM app.filled_again'), 't', 'and the one over it');
is(by_app('adopted', q{SELECT count(*) FROM mfi_country WHERE iso_alpha2 IS NOT NULL OR name !~ '^(Rwanda|Malawi|Kenya)$'}) > 0, 1, 'countries have their codes');

# ALTER EXTENSION UPDATE.
prepare('updated', "CREATE EXTENSION mfi VERSION '1.0'");
$node->safe_psql('updated', "INSERT INTO user_auth_logs (iam_event_id, event_type, client_id, realm_id, event_time) SELECT 'same', 'LOGIN', 'c', 'r', '2025-01-01' FROM generate_series(1, 3)", extra_params => [ '-U', 'app' ]);
$node->safe_psql('updated', "INSERT INTO user_activity_logs (user_id, event_type_id, event_time) SELECT 'u', 6, '2025-01-01'::timestamptz FROM generate_series(1, 3)", extra_params => [ '-U', 'app' ]);
$node->safe_psql('updated', "INSERT INTO portals (name, realm_id, client_id) VALUES ('p', 'r', 'c'); REFRESH MATERIALIZED VIEW app.filled");
$from = -s $node->logfile;
($status, $out, $err) = $node->psql('updated', 'ALTER EXTENSION mfi UPDATE');
is($status, 0, 'updated') or diag($err);
is($node->safe_psql('updated', 'SELECT mfi_schema_version(), _mfi_schema_ready()'), '1.1|t', 'all of it');
as_owner_only('updated', 'ALTER EXTENSION UPDATE', $from);
is(by_app('updated', 'SELECT count(*), count(*) FILTER (WHERE duplicate) FROM user_auth_logs'), '3|2', 'its rows are there, and marked');

# What a definition says is read again when it is made anew, and a literal of a domain calls the domain's check as it is read. Whoever wrote the
# definition hears it; what somebody else may have written keeps the table from being made anew.
my $literal = 0;
sub literal
{
	my ($kind) = @_;
	$literal++;
	return ("CREATE DOMAIN app.l$literal AS int CHECK (app.says('literal of $kind')); CREATE TYPE app.range$literal AS RANGE (subtype = app.l$literal); CREATE TYPE app.row$literal AS (v app.l$literal); ",
		"(1 = ANY('{1}'::app.l$literal\[]) OR isempty('[1,2)'::app.range$literal) OR ('(1)'::app.row$literal).v > 0)");
}
my %anew = (
	index => sub { "CREATE INDEX of_literal ON user_auth_logs (($_[0] AND client_id > ''))" },
	'partial index' => sub { "CREATE INDEX of_literal_where ON user_auth_logs (client_id) WHERE $_[0]" },
	statistics => sub { "CREATE STATISTICS app.of_literal ON ($_[0] AND client_id > ''), client_id FROM user_auth_logs" },
	policy => sub { "CREATE POLICY of_literal ON user_auth_logs USING ($_[0]) WITH CHECK ($_[0])" },
	trigger => sub { "CREATE TRIGGER of_literal AFTER INSERT ON user_auth_logs FOR EACH ROW WHEN ($_[0]) EXECUTE FUNCTION app.fires()" },
	rule => sub { "CREATE RULE of_literal AS ON UPDATE TO user_auth_logs DO ALSO SELECT $_[0]" },
	default => sub { "ALTER TABLE user_auth_logs ADD COLUMN of_literal boolean DEFAULT $_[0]" },
	check => sub { "ALTER TABLE user_auth_logs ADD CONSTRAINT of_literal CHECK ($_[0])" },
	view => sub { "CREATE VIEW app.of_literal AS SELECT id, $_[0] AS seen FROM user_auth_logs" },
	'rule of a view' => sub { "CREATE VIEW app.ruled_view AS SELECT id FROM user_auth_logs; CREATE RULE of_literal AS ON UPDATE TO app.ruled_view DO INSTEAD SELECT $_[0]; ALTER VIEW app.ruled_view ALTER id SET DEFAULT CASE WHEN $_[0] THEN gen_random_uuid() END" },
	'materialized view' => sub { "CREATE MATERIALIZED VIEW app.of_literal_filled AS SELECT id, $_[0] AS seen FROM user_auth_logs" });
for my $database ('literals', 'literals_updated')
{
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, $database eq 'literals' ? 'CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION pgcrypto;' . legacy_schema() : q{CREATE EXTENSION mfi VERSION '1.0' CASCADE});
	$node->safe_psql($database, 'CREATE SCHEMA app AUTHORIZATION app; GRANT CREATE ON SCHEMA public TO app; ALTER TABLE user_auth_logs OWNER TO app; GRANT ALL ON portals, user_activity_logs TO app');
	$node->safe_psql($database, join('', plant_functions(), map { my ($types, $expression) = literal($_); $types . $anew{$_}->($expression) . ';' } sort keys %anew), extra_params => [ '-U', 'app' ]);
	$from = -s $node->logfile;
	my $make = $database eq 'literals' ? 'CREATE EXTENSION mfi' : 'ALTER EXTENSION mfi UPDATE';

	# What others than the owner may have made is named.
	my ($types, $expression) = literal('trigger by somebody else');
	for my $other (
		[ "$types CREATE TRIGGER others AFTER INSERT ON user_activity_logs FOR EACH ROW WHEN ($expression) EXECUTE FUNCTION app.fires()", 'DROP TRIGGER others ON user_activity_logs', qr/trigger others on table (?:public\.)?user_activity_logs cannot be made anew.*types that belong to app.*Drop it/s ],
		[ "CREATE VIEW app.given AS SELECT id, $expression AS seen FROM user_auth_logs", 'DROP VIEW app.given', qr/view app.given cannot be made anew: its owner is a superuser/, 'ALTER VIEW app.given OWNER TO postgres' ])
	{
		$node->safe_psql($database, $other->[0], extra_params => [ '-U', 'app' ]);
		$node->safe_psql($database, $other->[3] // '');
		($status, $out, $err) = $node->psql($database, $make);
		like($err, $other->[2], "$make: named");
		as_owner_only($database, "$make: refused", $from);
		$node->safe_psql($database, $other->[1]);
	}
	$from = -s $node->logfile;
	($status, $out, $err) = $node->psql($database, $make);
	is($status, 0, "$make with literals") or diag($err);
	as_owner_only($database, "$make with literals", $from);
	%heard = map { ($_->[0] => $_->[1]) } ran_as($node, $from);
	is($heard{"literal of $_"} // 'not heard', 'app', "$make: $_ is read as its owner") for grep { !/^(?:default|check)$/ } sort keys %anew;
	is($node->safe_psql($database, q{SELECT count(*) FROM pg_class WHERE relname ~ '^of_literal' AND relowner = 'app'::regrole}), '4', 'all of it is there');
}

# The partitions that the worker makes, in both; and expiry.
for my $database ('adopted', 'updated')
{
	$node->safe_psql($database, "INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) SELECT 'LOGIN', 'c', 'r', timestamptz '2011-02-27 23:00Z' + n * interval '1 hour' FROM generate_series(0, 40) n",
		extra_params => [ '-U', 'app' ]);
	$node->safe_psql($database, "INSERT INTO user_activity_logs (user_id, event_type_id, event_time) SELECT 'u', min(id), '2012-01-01'::timestamptz FROM activity_type", extra_params => [ '-U', 'app' ]);
	$from = -s $node->logfile;
	($status, $out, $err) = $node->psql($database, 'SELECT _mfi_maintain()');
	is($out, 't', "$database: maintained") or diag($err);
	as_owner_only($database, "$database: partitions", $from);
	# Whoever looks at a table runs what its owner has put on it, so the test looks as the owner.
	is(by_app($database, q{SELECT (SELECT count(*) FROM mfi_audit.user_auth_logs_201102) + (SELECT count(*) FROM mfi_audit.user_auth_logs_201103)}),
		'41', "$database: the rows are in their months");
	is($node->safe_psql($database, 'SELECT count(*) FROM mfi_audit.user_activity_logs_201201'), '1', "$database: those of the other table, too");
	$node->safe_psql($database, 'SELECT * FROM mfi_audit_expire(1); SELECT _mfi_watch_audit(); SELECT mfi_migrate_schema()');
	is($node->psql($database, q{SELECT mfi_health()}, extra_params => [ '-U', 'monitor' ]), 0, "$database: health");
	$node->safe_psql($database, q{SELECT mfi_health()});
	as_owner_only($database, "$database: expiry, watch, health", $from);
}

# The way to the owner's rights is a superuser's alone, and leads nowhere else.
like($node->error(q{SELECT _mfi_as_owner('user_auth_logs'::regclass, 'SELECT 1')}, dbname => 'adopted', extra_params => [ '-U', 'app' ]), qr/permission denied for function/, 'not for others');
$node->safe_psql('adopted', 'GRANT EXECUTE ON FUNCTION _mfi_as_owner(regclass, text), _mfi_execute_unrecorded(text) TO app');
like($node->error(q{SELECT _mfi_as_owner('portals'::regclass, 'ALTER ROLE app SUPERUSER')}, dbname => 'adopted', extra_params => [ '-U', 'app' ]), qr/only a superuser may work as a table's owner/, 'nor when they were granted it');
like($node->error(q{SELECT _mfi_execute_unrecorded('ALTER ROLE app SUPERUSER')}, dbname => 'adopted', extra_params => [ '-U', 'app' ]), qr/only a superuser/, 'nor the other one');
is($node->safe_psql('adopted', <<'SQL'), "postgres|public|origin\napp|pg_catalog, pg_temp|replica", 'user and settings are put back after an error');
SET search_path = public;
CREATE TEMP TABLE seen AS SELECT 1 AS nr, current_user::text, current_setting('search_path') AS path, current_setting('session_replication_role') AS role LIMIT 0;
DO $$ BEGIN
  PERFORM public._mfi_as_owner('mfi_country'::regclass, 'SELECT 1/0');
EXCEPTION WHEN division_by_zero THEN
  INSERT INTO seen SELECT 1, current_user, current_setting('search_path'), current_setting('session_replication_role');
END $$;
SELECT current_user, path, role FROM seen;
SELECT _mfi_as_owner('mfi_country'::regclass, $q$SELECT concat_ws('|', current_user, current_setting('search_path'), current_setting('session_replication_role'))$q$);
SQL
for my $way ('RESET ROLE', 'SET ROLE postgres', 'SET SESSION AUTHORIZATION postgres', 'CREATE TEMP TABLE t ()', 'LISTEN x', 'SET session_replication_role = origin')
{
	like($node->error("SELECT _mfi_as_owner('mfi_country'::regclass, '$way')", dbname => 'adopted'), qr/security-restricted operation|permission denied|cannot set/, "no way out: $way");
}
$node->stop;
done_testing();
