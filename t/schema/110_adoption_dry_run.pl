# The dry run finds everything that the run would refuse, in a few words each, and nothing else: what users have put on the
# tables and the views over them is tried with the types that the columns would have.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiInterface qw(legacy_schema);
use MfiListing qw(listing same_listing);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('bank');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE app; CREATE ROLE clerk; CREATE DATABASE template');
$node->safe_psql('template', 'CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION pgcrypto; CREATE EXTENSION btree_gist;' . legacy_schema());

my $function = q{CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';};
my $id = q{'00000000-0000-0000-0000-000000000000'::uuid};

# What is refused, by what says so.
my %refused = (
	'CREATE VIEW by_user AS SELECT l.id, l.client_id, l.event_time, u.username FROM user_auth_logs l JOIN portal_users u ON l.iam_user_id = u.id_iam' =>
		qr/view by_user: operator does not exist: text = uuid; column user_auth_logs.iam_user_id \(uuid\) becomes text$/m,
	'CREATE VIEW twice AS SELECT l.id FROM user_auth_logs l JOIN mfi_clients m ON l.client_id = m.name AND l.realm_id = m.id' =>
		qr/view twice: operator does not exist: text = uuid; column user_auth_logs.realm_id \(uuid\) becomes text$/m,
	"CREATE MATERIALIZED VIEW one_realm AS SELECT id FROM user_auth_logs WHERE realm_id = $id" => qr/materialized view one_realm: operator does not exist: text = uuid; column user_auth_logs.realm_id/,
	'CREATE SCHEMA reports; CREATE VIEW reports.a AS SELECT id, iam_user_id AS who FROM user_auth_logs; CREATE VIEW reports.b AS SELECT a.id FROM reports.a JOIN mfi_users u ON u.id_iam = a.who; CREATE VIEW reports.c AS SELECT * FROM reports.b' =>
		qr/view reports.b: operator does not exist: uuid = text; column reports.a.who \(uuid\) becomes text$/m,
	"CREATE VIEW either AS SELECT coalesce(l.realm_id, p.id) FROM user_auth_logs l, portals p" => qr/view either: COALESCE types text and uuid cannot be matched/,
	"CREATE VIEW path AS SELECT resource_path->>'a' AS a FROM admin_event_logs" => qr/view path: operator does not exist: text ->> .*; column admin_event_logs.resource_path \(jsonb\) becomes text/,
	q{CREATE FUNCTION of_day(timestamp) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'; CREATE VIEW days AS SELECT of_day(created_on) FROM portals} => qr/view days: function of_day\(timestamp with time zone\) does not exist; column portals.created_on/,
	'CREATE MATERIALIZED VIEW dated AS SELECT created_on, name FROM portals; CREATE INDEX dated_day ON dated ((created_on::date))' => qr/materialized view dated: functions in index expression must be marked IMMUTABLE/,
	'CREATE VIEW gate AS SELECT id FROM portals; CREATE RULE ins AS ON INSERT TO gate DO INSTEAD DELETE FROM mfi_clients m USING portals p WHERE m.realm_id = p.id' => qr/rule ins on view gate uses column realm_id of table mfi_clients/,
	'CREATE TABLE note (id uuid); CREATE RULE ins AS ON INSERT TO note DO ALSO SELECT realm_id FROM mfi_clients' => qr/rule ins on table note uses column realm_id/,
	'CREATE POLICY late ON portals USING (created_on < now())' => qr/policy late on table portals uses column created_on/,
	'CREATE TABLE held (id uuid); CREATE VIEW ids AS SELECT id FROM portals; CREATE POLICY own ON held USING (id IN (SELECT id FROM ids))' => qr/policy own on table held depends on ids/,
	'CREATE FUNCTION old_portals() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM portals WHERE created_on < now(); END' => qr/function old_portals\(\) uses column created_on/,
	'CREATE FUNCTION busy() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM v_active_portals; END' => qr/function busy\(\) depends on v_active_portals/,
	"CREATE VIEW of_it AS SELECT id FROM portals; CREATE FUNCTION all_of_it() RETURNS SETOF of_it LANGUAGE sql AS 'SELECT * FROM of_it'" => qr/function all_of_it\(\) depends on of_it/,
	"ALTER TABLE portals ADD age integer GENERATED ALWAYS AS (created_on::date - date '2000-01-01') STORED" => qr/default value for column age of table portals uses column created_on/,
	"ALTER TABLE mfi_clients ADD CONSTRAINT not_zero CHECK (realm_id <> $id)" => qr/constraint not_zero on table mfi_clients: operator does not exist: text <> uuid; column mfi_clients.realm_id/,
	'CREATE INDEX log_day ON user_auth_logs ((event_time::date))' => qr/index log_day: functions in index expression must be marked IMMUTABLE; column user_auth_logs.event_time/,
	"CREATE INDEX young ON portals (name) WHERE created_on > '2024-01-01'::timestamp" => qr/index young: functions in index predicate must be marked IMMUTABLE/,
	'CREATE INDEX paths ON admin_event_logs USING gin (resource_path)' => qr/index paths: data type text has no default operator class/,
	"CREATE STATISTICS zero ON (realm_id = $id), name FROM mfi_clients" => qr/statistics object zero: operator does not exist: text = uuid/,
	sprintf($function, 'when_it_moves') . 'CREATE TRIGGER moves BEFORE UPDATE ON portals FOR EACH ROW WHEN (old.created_on < new.created_on) EXECUTE FUNCTION when_it_moves()' => qr/trigger moves on table portals uses column created_on/,
	'ALTER TABLE user_auth_logs ADD CONSTRAINT who FOREIGN KEY (iam_user_id) REFERENCES portal_users (id_iam)' => qr/constraint who on table user_auth_logs: user_auth_logs.iam_user_id \(text\) and portal_users.id_iam \(uuid\) do not widen together/,
	'ALTER TABLE mfi_clients ADD UNIQUE (client_id); CREATE TABLE branch (client uuid REFERENCES mfi_clients (client_id))' => qr/constraint branch_client_fkey on table branch: branch.client \(uuid\) and mfi_clients.client_id \(text\)/,
	'CREATE PUBLICATION some_columns FOR TABLE mfi_groups (id, created_on)' => qr/publication of table mfi_groups in publication some_columns uses column created_on/,
	"CREATE PUBLICATION some_rows FOR TABLE portals WHERE (created_on > '2020-01-01'::timestamp)" => qr/publication of table portals in publication some_rows uses column created_on/,
	'CREATE PUBLICATION logs FOR TABLE user_activity_logs' => qr/user_activity_logs: publication of table user_activity_logs in publication logs includes it/,
	'CREATE TYPE pair AS (p portals, n integer); CREATE TABLE kept (pairs pair[])' => qr/column pairs of table kept has the rows of a table that must widen as its type/,
	'CREATE TABLE mfi_users_id_group_idx (id integer)' => qr/table mfi_users_id_group_idx has the name of an index that is made/,
	'ALTER TABLE mfi_clients ADD CONSTRAINT mfi_clients_branches_check CHECK (branches > -5)' => qr/constraint mfi_clients_branches_check on table mfi_clients has the name of a check that is made/,
	"ALTER TABLE user_activity_logs ADD CONSTRAINT own_only CHECK (user_id <> '') NO INHERIT" => qr/constraint own_only on table user_activity_logs is NO INHERIT/,
	'ALTER TABLE user_activity_logs ADD CONSTRAINT apart EXCLUDE USING gist (user_id WITH =, event_time WITH =)' => qr/user_activity_logs: apart excludes, which would be lost/,
	sprintf($function, 'sees_rows') . 'CREATE TRIGGER sees AFTER INSERT ON mfi_user_activity_logs REFERENCING NEW TABLE AS n FOR EACH ROW EXECUTE FUNCTION sees_rows()' => qr/trigger sees on table mfi_user_activity_logs has transition tables/,
	'ALTER TABLE mfi_country OWNER TO app; REVOKE UPDATE ON mfi_country FROM app; ALTER TABLE mfi_country ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY' => qr/app, who owns table mfi_country, lacks UPDATE on it/,
	'DROP VIEW v_mfi_platforms_summary; CREATE MATERIALIZED VIEW v_mfi_platforms_summary AS SELECT 1 AS one' => qr/v_mfi_platforms_summary is not a plain view/);

$node->safe_psql('postgres', 'CREATE DATABASE refused TEMPLATE template');
$node->safe_psql('refused', "$_;") for sort keys %refused;
my $dry = 'SET mfi.install_schema = off; CREATE EXTENSION mfi; SELECT count(*) FROM mfi_migrate_schema(true)';
my $before = listing($node, 'refused');
my ($status, $out, $err) = $node->psql('refused', "BEGIN; $dry");
my $told = $err =~ s/\bpublic\.//gr;
like($told, $refused{$_}, 'found: ' . substr($_, 0, 100)) for sort keys %refused;
like($told, qr/row-level security of table mfi_country is forced on its owner/, 'each obstacle of a table');
unlike($err, qr/mfi_trial_|view reports\.c/, 'what only fails because of another is not told');
cmp_ok(length $err, '<', 200 * keys %refused, 'in short words');
same_listing(listing($node, 'refused'), $before, 'nothing is changed');
my $detail = sub { $_[0] =~ /DETAIL: *(.*?)Nothing was changed/s ? $1 : "none in $_[0]" };
(undef, undef, my $real) = $node->psql('refused', 'CREATE EXTENSION mfi');
is($detail->($real), $detail->($err), 'the run refuses in the same words');
same_listing(listing($node, 'refused'), $before, 'nothing is changed by it either');

# What goes on is not refused. Neither does the dry run wait for those who write, nor they for it.
$node->safe_psql('postgres', 'CREATE DATABASE fine TEMPLATE template');
$node->safe_psql('fine', <<"SQL");
CREATE INDEX by_name ON portals (created_on, name) WHERE is_active;
CREATE INDEX by_realm ON admin_event_logs USING hash (realm_id);
ALTER TABLE mfi_clients ADD CONSTRAINT named CHECK (realm_id IS NOT NULL OR name <> ''), ADD UNIQUE (realm_id);
ALTER TABLE portals ADD UNIQUE (created_on);
CREATE TABLE opened (at timestamp REFERENCES portals (created_on));
ALTER TABLE portals ADD loud text GENERATED ALWAYS AS (upper(name)) STORED, ADD EXCLUDE USING gist (created_on WITH =);
CREATE STATISTICS together ON created_on, name FROM portals;
CREATE FUNCTION named(p portals) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT p.name';
CREATE FUNCTION portals(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE VIEW whole AS SELECT named(p), p AS whole FROM portals p;
CREATE VIEW two AS SELECT portals(1), id FROM portals WHERE 'public.portals'::regclass IS NOT NULL;
CREATE SCHEMA "S p";
CREATE VIEW "Odd ""name" AS SELECT id, created_on AS "When" FROM portals;
CREATE VIEW "S p".portals AS SELECT * FROM "Odd ""name" WHERE "When" < now();
CREATE VIEW "S p"."it's" AS SELECT portals.id FROM "S p".portals JOIN public.portals p2 USING (id);
CREATE VIEW months AS SELECT to_char(created_on, 'YYYY') AS year, date_trunc('month', created_on) AS month, now() - created_on AS age FROM portals;
CREATE VIEW cast_already AS SELECT l.id FROM user_auth_logs l JOIN portal_users u ON l.iam_user_id::text = u.id_iam::text;
CREATE MATERIALIZED VIEW by_day AS SELECT date_trunc('day', created_on) AS day, count(*) FROM portals GROUP BY 1;
CREATE UNIQUE INDEX by_day_day ON by_day (day);
ALTER VIEW months OWNER TO clerk;
DROP VIEW v_active_portals;
CREATE VIEW v_active_portals AS SELECT p.id, p.name, p.description, p.realm_id, p.is_active, p.on_prod,
  (SELECT count(*) FROM mfi_clients m WHERE m.realm_id = p.id) AS user_count, p.created_on, p.updated_at FROM portals p;
CREATE VIEW names AS SELECT name FROM v_active_portals;
GRANT SELECT ON v_active_portals TO app;
SQL
my $writer = $node->background_psql('fine');
$writer->query_safe("BEGIN; INSERT INTO portals (name, realm_id, client_id, is_active) VALUES ('n', 'r', 'c', true); INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) VALUES ('LOGIN', 'c', $id, now())");
my $session = $node->background_psql('fine');
$session->query_safe("BEGIN; SET lock_timeout = '5s'; $dry");
pass('the dry run finds nothing, beside a writer');
is($node->safe_psql('fine', q{SELECT count(*) FROM pg_locks WHERE mode IN ('ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock', 'ShareLock') AND relation IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)}),
	'0', 'nor is a table of the application locked until its transaction ends');
$writer->query_safe('COMMIT');
$session->query_safe('ROLLBACK');
$writer->quit;
$session->quit;

# By each way to it: at once, by steps, and with functions that came by an update.
my %ways = (
	at_once => 'CREATE EXTENSION mfi',
	by_steps => "$dry; SELECT count(*) FROM mfi_migrate_schema()",
	updated => "SET mfi.install_schema = off; CREATE EXTENSION mfi VERSION '1.1'; ALTER EXTENSION mfi UPDATE; SELECT count(*) FROM mfi_migrate_schema()");
for my $way (sort keys %ways)
{
	($status, $out, $err) = $node->psql('fine', "BEGIN; $ways{$way}; SELECT extversion FROM pg_extension WHERE extname = 'mfi'; SELECT mfi_schema_version(), has_table_privilege('app', 'v_active_portals', 'SELECT'), count(*) FROM v_active_portals; SELECT count(*) FROM names; ROLLBACK");
	like($out, qr/^1\.2\n1\.1\|t\|1\n1$/m, "$way: adopted, and the bank's view is the one of mfi") or diag($err);
	($status, $out, $err) = $node->psql('refused', "BEGIN; $ways{$way}");
	is($detail->($err), $detail->($real), "$way: refused in the same words");
}

$node->stop;
done_testing();
