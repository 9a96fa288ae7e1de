# Adoption of a database that has the tables already: extras are kept, differences refused by name with nothing changed, a
# dry run changes nothing, an interrupted run neither.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiInterface qw(interface_columns interface_rows interface_tables inserts legacy_schema);
use MfiListing qw(definitions listing rows same_listing);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('bank');
$node->init;
$node->append_conf('postgresql.conf', "allow_in_place_tablespaces = on\n");
$node->start;

sub legacy
{
	my ($database, $more) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION pgcrypto;' . legacy_schema());
	$node->safe_psql($database, join('', map { "$_;" } map { inserts($_) } interface_tables()));
	$node->safe_psql($database, $more) if $more;
	return $database;
}

# Extras.
$node->safe_psql('postgres', 'CREATE ROLE app; CREATE ROLE reader; CREATE ROLE owner_of_tables');
legacy('extras', <<'SQL');
ALTER TABLE portals ADD COLUMN theme json, ADD COLUMN opened timestamp DEFAULT now(), ADD CONSTRAINT short CHECK (length(name) < 200);
ALTER TABLE user_auth_logs ADD COLUMN country text DEFAULT 'RW';
CREATE TABLESPACE logs LOCATION '';
ALTER TABLE user_auth_logs SET TABLESPACE logs;
ALTER TABLE mfi_users ALTER COLUMN temp_lock SET DEFAULT true;
ALTER TABLE portal_users ALTER COLUMN created_on SET DEFAULT timezone('utc', now());
ALTER TABLE portals ALTER COLUMN id SET DEFAULT public.uuid_generate_v4();
ALTER TABLE mfi_clients RENAME CONSTRAINT mfi_clients_pkey TO the_key;
CREATE INDEX logs_by_user ON user_auth_logs (iam_user_id, event_time);
CREATE INDEX users_of_group ON portal_users (id_group, username);
CREATE TABLE portal_notes (id serial PRIMARY KEY, portal uuid REFERENCES portals ON DELETE CASCADE, note text);
INSERT INTO portal_notes (portal, note) SELECT id, 'n' FROM portals;
CREATE VIEW recent AS SELECT id, event_time FROM user_auth_logs WHERE event_time > '2020-01-01';
CREATE VIEW recent_days AS SELECT event_time::date AS day, count(*) AS events FROM recent GROUP BY 1;
CREATE VIEW busy AS SELECT name, user_count, created_on FROM v_active_portals WHERE user_count >= 0;
CREATE MATERIALIZED VIEW by_day AS SELECT created_on::date AS day, count(*) FROM portal_users GROUP BY 1;
CREATE UNIQUE INDEX by_day_day ON by_day (day);
COMMENT ON VIEW busy IS 'Busy portals';
COMMENT ON TABLE portals IS 'Our portals';
ALTER VIEW recent OWNER TO reader;
GRANT SELECT ON recent, recent_days, busy, v_active_portals, by_day TO app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app;
GRANT SELECT (id, username) ON portal_users TO reader WITH GRANT OPTION;
ALTER TABLE digital_platforms OWNER TO owner_of_tables;
ALTER TABLE admin_event_logs OWNER TO owner_of_tables;
SELECT setval('portal_users_id_seq', 7777);
ALTER SEQUENCE mfi_users_id_seq INCREMENT 10;
SQL
my $rows = interface_rows($node, 'extras');
my $all = listing($node, 'extras');

# The dry run: nothing is changed, and it names what would be.
$node->safe_psql('extras', 'SET mfi.install_schema = off; CREATE EXTENSION mfi');
my $before = listing($node, 'extras');
my $plan = $node->safe_psql('extras', 'SELECT mfi_migrate_schema(true)');
like($plan, qr/^1\.0: existing tables \(\d+ kB\): adopted, and locked/m, 'dry run: says that tables are locked');
like($plan, qr/^1\.0: ALTER TABLE public.portal_users .*ALTER COLUMN last_login_at TYPE timestamp with time zone/m, 'dry run: names what widens');
unlike($plan, qr/CREATE INDEX portal_users_id_group_idx/, 'no index where one is that begins with the column');
same_listing(listing($node, 'extras'), $before, 'dry run: nothing is changed');
is($node->safe_psql('extras', 'SELECT mfi_schema_version() IS NULL'), 't', 'no version yet');

# An interrupted run.
my ($status, $out, $err) = $node->psql('extras', "SET statement_timeout = '30ms'; SELECT mfi_migrate_schema()");
like($err, qr/canceling statement/, 'interrupted');
same_listing(listing($node, 'extras'), $before, 'interrupted: nothing is changed');
my $session = $node->background_psql('extras');
$session->query_safe('BEGIN; SELECT count(*) FROM mfi_migrate_schema();');
$node->stop('immediate');
$node->start;
eval { $session->quit };
# (A crash lets sequences skip a few numbers.)
my ($crashed, $as_before) = map { s/^position of .*//mgr } listing($node, 'extras'), $before;
same_listing($crashed, $as_before, 'crashed before the commit: nothing is changed');

# Moved by CREATE EXTENSION in the end.
$node->safe_psql('extras', 'DROP EXTENSION mfi; CREATE EXTENSION mfi');
same_listing(interface_rows($node, 'extras'), $rows, 'no row was lost');
is($node->safe_psql('extras', 'SELECT mfi_schema_version(), _mfi_schema_ready()'), '1.1|t', 'ready');
is($node->safe_psql('extras', 'SELECT * FROM mfi_migrate_schema()'), '', 'nothing is left to do');
my $after = listing($node, 'extras');

# What is the users' own is as it was, or as its types have widened.
my @kept = (
	qr/^column public.portals.theme .* json/, qr/^column public.user_auth_logs.country .* default 'RW'/, qr/^column public.mfi_users.temp_lock .* default true/,
	qr/^column public.portals.opened .* timestamp without time zone .* default now/, qr/^constraint short on public.portals/,
	qr/^column public.portal_users.created_on .* timestamp with time zone .* default now\(\)/, qr/^column public.portals.id .* default gen_random_uuid\(\)/,
	qr/^index .*logs_by_user ON ONLY public.user_auth_logs/, qr/^index .*users_of_group/, qr/^index .*by_day_day/,
	qr/^constraint mfi_clients_pkey /, qr/^view public.recent:/, qr/^view public.recent_days:/, qr/^view public.busy:/, qr/^view public.by_day:/,
	qr/^relation recent kind v of reader.*app=SELECT by reader/, qr/^relation busy .*app=DELETE by postgres, app=INSERT by postgres, app=SELECT/,
	qr/^relation v_active_portals .*security_invoker=true.*app=.*SELECT/, qr/^relation portal_users_id_seq .*app=USAGE/, qr/^relation user_activity_logs_id_seq .*app=USAGE/,
	qr/^relation user_auth_logs kind p .*app=DELETE by postgres, app=INSERT/, qr/^column public.portal_users.username .*reader=SELECT\*/,
	qr/^relation digital_platforms .* of owner_of_tables/, qr/^comment on view public.busy: Busy portals/, qr/^comment on table public.portals: Our portals/,
	qr/^position of public.portal_users_id_seq 7777 true/, qr/^sequence public.mfi_users_id_seq: .*"increment_by": 10/,
	qr/^trigger enabled O: CREATE TRIGGER touch_updated_at BEFORE UPDATE ON public.digital_platforms/);
$after =~ s/^relation public\./relation /mg;
for my $line (@kept)
{
	ok((grep { $_ =~ $line } split /\n/, $after), "kept: $line");
}
my ($notes, $notes_before) = map { join("\n", grep { /portal_notes/ && !/^position/ } split /\n/) } $after, $all;
is($notes, $notes_before =~ s/^relation public\./relation /mgr, 'a table of their own is untouched');
is($node->safe_psql('extras', "SET ROLE app; INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) VALUES ('LOGIN', 'c', 'r', now()) RETURNING country"), 'RW',
	'an application goes on with its grants');
is($node->safe_psql('extras', 'SELECT count(*) FROM pg_init_privs i WHERE privtype = \'e\' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = i.classoid AND d.objid = i.objoid AND d.deptype = \'e\')'),
	'0', 'no grant is recorded as the extension\'s');

is($node->safe_psql('extras', <<'SQL'), "t\n1|1|t", 'the partitions of a table are in its tablespace, those to come as well');
SELECT count(*) > 0 FROM mfi_audit_ensure_partitions(9);
SELECT count(DISTINCT reltablespace), count(DISTINCT spcname), bool_or(relid::text = _mfi_partition_name('user_auth_logs', _mfi_month(now(), 8)))
  FROM pg_partition_tree('user_auth_logs') JOIN pg_class c ON c.oid = relid LEFT JOIN pg_tablespace t ON t.oid = reltablespace AND spcname = 'logs'
SQL

is($node->psql('extras', 'SET ROLE owner_of_tables; ALTER TABLE admin_event_logs ADD COLUMN note text'), 0, 'the owner of a table owns its partitions');

# Differences, each by name.
my %differences = (
	'DROP TABLE mfi_platforms CASCADE' => qr/table mfi_platforms is missing/,
	'ALTER TABLE portals DROP COLUMN client_id' => qr/column client_id of table portals is missing/,
	'ALTER TABLE portals ALTER COLUMN dev_url TYPE varchar(200)' => qr/column dev_url of table portals is of type character varying\(200\), not text/,
	'ALTER TABLE portals ALTER COLUMN description SET NOT NULL' => qr/column description of table portals is NOT NULL/,
	'ALTER TABLE portals ALTER COLUMN name DROP NOT NULL' => qr/column name of table portals may be NULL/,
	'ALTER TABLE mfi_users ALTER COLUMN id DROP DEFAULT; DROP SEQUENCE mfi_users_id_seq' => qr/column id of table mfi_users has no sequence of its own/,
	'ALTER TABLE mfi_country DROP CONSTRAINT mfi_country_name_key' => qr/table mfi_country lacks UNIQUE \(name\)/,
	'ALTER TABLE user_groups DROP CONSTRAINT user_groups_group_id_fkey' => qr/table user_groups lacks FOREIGN KEY \(group_id\) REFERENCES portal_groups\(iam_group_id\) ON DELETE CASCADE/,
	'DROP VIEW v_mfi_platforms_summary; CREATE VIEW v_mfi_platforms_summary AS SELECT 1 AS one' => qr/view v_mfi_platforms_summary has other columns than mfi_id uuid/,
	'CREATE POLICY p ON portals USING (created_on < now())' => qr/policy p on table portals uses column created_on of table portals/,
	'CREATE TRIGGER t BEFORE UPDATE OF created_on ON portals FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()' => qr/trigger t on table portals uses column/,
	'CREATE TABLE child () INHERITS (mfi_type)' => qr/mfi_type is not a plain table/,
	'CREATE TABLE refers (log uuid REFERENCES user_auth_logs)' => qr/user_auth_logs: constraint refers_log_fkey on table refers refers to it/,
	'CREATE UNIQUE INDEX one_event ON user_auth_logs (iam_event_id)' => qr/user_auth_logs: one_event is unique, or excludes, without event_time/,
	'CREATE FUNCTION last_log() RETURNS user_auth_logs LANGUAGE sql AS $$ SELECT * FROM user_auth_logs LIMIT 1 $$' => qr/user_auth_logs: function last_log\(\) depends on it/,
	'CREATE POLICY seen ON portals USING (EXISTS (SELECT FROM user_auth_logs))' => qr/user_auth_logs: policy seen on table portals depends on it/,
	'CREATE SCHEMA mfi_audit' => qr/schema already exists: mfi_audit/);
legacy('different');
$node->safe_psql('different', 'DELETE FROM mfi_country; DELETE FROM portals WHERE name IS NULL OR description IS NULL');
for my $change (sort keys %differences)
{
	($status, $out, $err) = $node->psql('different', "BEGIN; $change; CREATE EXTENSION mfi;");
	$err =~ s/\bpublic\.//g;
	like($err, $differences{$change}, "refused: $change");
	like($err, qr/Nothing was changed/, 'and says so');
}

# Columns of the names that 1.1 adds: each of them is named.
my %interface = map { ("$_->{table}.$_->{column}" => 1) } interface_columns();
my @added = grep { !$interface{$_} && !/\.(?:theme|opened|country|note|iso_alpha2)$/ } split /\n/, $node->safe_psql('extras', <<'SQL');
SELECT name || '.' || attname FROM unnest(_mfi_tables()) AS name JOIN pg_attribute ON attrelid = name::regclass AND attnum > 0 AND NOT attisdropped
SQL
cmp_ok(@added, '>', 20, '1.1 adds columns');
my $own = join('', map { my ($table, $column) = split /\./; "ALTER TABLE $table ADD COLUMN $column integer;" } @added);
($status, $out, $err) = $node->psql('different', "BEGIN; $own CREATE EXTENSION mfi;");
is(join("\n", sort $err =~ /^(?:DETAIL: +)?(\w+: column \w+) is there already$/mg), join("\n", sort map { s/\./: column /r } @added), 'refused: columns in the way, each by name');
my $different = listing($node, 'different');
$node->psql('different', 'ALTER TABLE portals RENAME COLUMN name TO title; CREATE EXTENSION mfi');
$node->safe_psql('different', 'ALTER TABLE portals RENAME COLUMN title TO name');
same_listing(listing($node, 'different'), $different, 'refused: nothing is changed');

# Rows that violate a check which the old tables did not have, and so many that the lock is worth a word beforehand.
$node->safe_psql('different', <<'SQL');
UPDATE mfi_clients SET branches = -1;
ALTER TABLE user_auth_logs ALTER COLUMN session_id SET STORAGE EXTERNAL;
INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time, session_id)
SELECT 'LOGIN', 'c', gen_random_uuid(), '2026-01-01', repeat('x', 1000000) FROM generate_series(1, 40);
SQL
my $said = qr/\(\d+ MB\) move; the table is locked until the end of the transaction, about \d+ s/;
like($node->safe_psql('different', 'BEGIN; SET LOCAL mfi.install_schema = off; CREATE EXTENSION mfi; SELECT mfi_migrate_schema(true); ROLLBACK'),
	qr/1\.1: table user_auth_logs: partitions by month \(.*$said/, 'dry run: says how much moves and for how long the table is locked');
($status, $out, $err) = $node->psql('different', 'CREATE EXTENSION mfi');
is($status, 0, 'rows that violate a new check: adopted');
like($err, qr/WARNING: +public\.user_auth_logs: .*$said/, 'the same is said before the rows move');
like($err, qr/WARNING: +constraint mfi_clients_branches_check of table public.mfi_clients is not valid/, 'with a warning');

$node->stop;
done_testing();
