# Whatever way a database came to the newest version, it is the same: made fresh, updated from 1.0 with rows and with what
# users add, dumped at 1.0 and migrated after the restore, adopted, restored in every way, moved by pg_upgrade.

use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../lib";
use MfiInterface qw(interface_rows interface_tables inserts legacy_schema);
use MfiListing qw(listing definitions rows same_listing);
use MfiWorkload qw(change_rows change_definitions);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{MFI_TEST_SEED} // sprintf('%.6f', rand());
note "seed $seed (repeat with MFI_TEST_SEED=$seed)";
$ENV{PGTZ} = 'UTC';

my $node = PostgreSQL::Test::Cluster->new('bank');
$node->init;
$node->start;
my $dir = PostgreSQL::Test::Utils::tempdir;

sub make { $node->safe_psql('postgres', "CREATE DATABASE $_") for @_; return }

# What users add to the audit tables, beside what change_definitions adds to others.
my $audit_extras = <<'SQL';
ALTER TABLE user_auth_logs ADD COLUMN risk integer CHECK (risk < 100), ADD COLUMN seen serial,
  ADD COLUMN upper_type text GENERATED ALWAYS AS (upper(event_type)) STORED;
CREATE INDEX auth_by_user ON user_auth_logs (iam_user_id, event_time);
CREATE STATISTICS auth_types ON event_type, client_id FROM user_auth_logs;
CREATE VIEW logins AS SELECT id, iam_user_id, event_time FROM user_auth_logs WHERE event_type = 'LOGIN';
ALTER VIEW logins OWNER TO clerk;
CREATE VIEW login_days AS SELECT event_time::date AS day, count(*) FROM logins GROUP BY 1;
COMMENT ON VIEW login_days IS 'Logins of a day';
CREATE MATERIALIZED VIEW login_hours AS SELECT date_trunc('hour', event_time) AS hour FROM logins WITH NO DATA;
CREATE INDEX login_hours_hour ON login_hours (hour);
GRANT SELECT ON login_days TO PUBLIC;
GRANT SELECT, INSERT ON user_auth_logs TO clerk WITH GRANT OPTION;
GRANT SELECT (id, event_id), INSERT (event_id) ON admin_event_logs TO clerk;
GRANT USAGE ON SEQUENCE user_activity_logs_id_seq TO clerk;
SET ROLE clerk; GRANT SELECT ON user_auth_logs TO PUBLIC; RESET ROLE;
COMMENT ON TABLE user_auth_logs IS 'Our logins';
COMMENT ON INDEX auth_by_user IS 'Who, when';
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.error := coalesce(NEW.error, ''none''); RETURN NEW; END';
CREATE TRIGGER stamp BEFORE INSERT ON user_activity_logs FOR EACH ROW EXECUTE FUNCTION stamp();
ALTER TABLE user_activity_logs DISABLE TRIGGER stamp;
COMMENT ON TRIGGER stamp ON user_activity_logs IS 'Not now';
ALTER TABLE mfi_user_activity_logs ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON mfi_user_activity_logs FOR SELECT TO clerk USING (user_id = current_user);
ALTER TABLE mfi_user_activity_logs ALTER COLUMN ip_address SET DEFAULT '0.0.0.0';
SQL

# A database made fresh gets the same additions and the rows of DATABASE, and the months its audit rows want. A user's
# column of an audit table is behind those of 1.1 then, and the schema was not installed at the same moment.
sub equals_fresh
{
	my ($database, $extras, $name) = @_;
	make("fresh_$database");
	$node->safe_psql("fresh_$database", "CREATE EXTENSION mfi CASCADE; CREATE EXTENSION IF NOT EXISTS plpgsql");
	$extras->("fresh_$database");
	$node->safe_psql("fresh_$database", 'DELETE FROM activity_type; DELETE FROM mfi_country; DELETE FROM mfi_type; DELETE FROM platform_type');
	$node->command_ok([ 'pg_dump', '--data-only', '--load-via-partition-root', '-T', 'mfi.schema_version', '-f',
		"$dir/$database.rows.sql", $database ], "$name: rows");
	local $ENV{PGOPTIONS} = '-c session_replication_role=replica';  # rows come in any order
	$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', "$dir/$database.rows.sql", "fresh_$database" ], "$name: into the fresh one");
	delete $ENV{PGOPTIONS};
	$node->safe_psql("fresh_$database", 'SELECT mfi_audit_ensure_partitions(3)');
	$node->safe_psql("fresh_$database", 'REFRESH MATERIALIZED VIEW countries') if $extras == \&our_extras;
	my @listings = map {
		my $listing = listing($node, $_);
		$listing =~ s/^(column (?:mfi_audit|public)\.\w+_logs\w*\.\w+) number \d+/$1/mg;
		$listing =~ s/^(row of mfi.schema_version .*)"installed_at": ".*?"/$1/mg;
		$listing
	} ($database, "fresh_$database");
	same_listing(@listings, "$name: equal");
	return;
}

sub no_extras { return }
sub our_extras
{
	my ($database) = @_;
	change_definitions($node, $database, 'clerk');
	$node->safe_psql($database, $audit_extras);
	return;
}

# 1.0 with rows of all kinds.
make('updated');
$node->safe_psql('updated', "CREATE EXTENSION mfi VERSION '1.0' CASCADE");
change_rows($node, 'updated', $seed, 1200);
$node->safe_psql('updated', <<'SQL');
INSERT INTO user_activity_logs (user_id, event_type_id, event_time)
SELECT 'a' || n, (SELECT min(id) FROM activity_type), CASE WHEN n % 3 > 0 THEN timestamptz '1999-12-31 23:00Z' + n * interval '17 days' END
  FROM generate_series(1, 20) n;
INSERT INTO user_auth_logs (iam_event_id, event_type, client_id, realm_id, event_time)
SELECT CASE WHEN n % 4 > 0 THEN 'event ' || n % 7 END, 'LOGIN', 'c', 'r', timestamptz '2024-03-31 23:59:59.999999Z' + n % 7 * interval '1 us'
  FROM generate_series(1, 40) n;
INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) SELECT 'LOGIN', 'c', 'r', t::timestamptz
  FROM unnest(ARRAY['-infinity', 'infinity', '0044-03-15 BC', '1970-01-01', '2262-01-01', '1999-12-31 23:59:59Z']) t;
INSERT INTO admin_event_logs (event_id, realm_id, created_on) SELECT 'event ' || n % 5, 'r', CASE WHEN n > 9 THEN '2025-01-01'::timestamptz END
  FROM generate_series(1, 20) n;
SQL
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/old.dump", 'updated' ], 'dump of 1.0');
our_extras('updated');
my %dropped = ('mfi_clients.logo_url' => 1);
my $rows = interface_rows($node, 'updated', %dropped);
my $timezone_of_the_user = 'Pacific/Apia';
$node->safe_psql('updated', "SET timezone = '$timezone_of_the_user'; ALTER EXTENSION mfi UPDATE");
same_listing(interface_rows($node, 'updated', %dropped), $rows, 'no row was lost');
is($node->safe_psql('updated', 'SELECT count(*) FROM admin_event_logs WHERE event_time <> created_on'), '0', 'an admin event happened when it was written');
is($node->safe_psql('updated', <<'SQL'), '0|t', 'duplicates are marked, all but one of an event');
SELECT count(*) FILTER (WHERE unmarked <> 1), bool_or(rows > 1)
  FROM (SELECT count(*) AS rows, count(*) FILTER (WHERE NOT duplicate) AS unmarked
          FROM user_auth_logs WHERE iam_event_id IS NOT NULL GROUP BY iam_event_id, event_time) e
SQL
is($node->safe_psql('updated', <<'SQL'), '0', 'each row is in the partition of its month, and strange times in the default one');
SELECT count(*) FROM (SELECT tableoid::regclass::text AS partition, 'user_auth_logs' AS name, event_time FROM user_auth_logs
                      UNION ALL SELECT tableoid::regclass::text, 'user_activity_logs', event_time FROM user_activity_logs
                      UNION ALL SELECT tableoid::regclass::text, 'admin_event_logs', event_time FROM admin_event_logs) r
 WHERE partition <> 'mfi_audit.' || name || CASE WHEN event_time >= '2000-01-01Z' AND event_time < now() + interval '3 months'
                                                 THEN to_char(event_time AT TIME ZONE 'UTC', '_YYYYMM') ELSE '_default' END
SQL
$node->safe_psql('updated', 'REFRESH MATERIALIZED VIEW countries');
my $updated = listing($node, 'updated');
like($updated, qr/^relation login_days|^view public.login_days/m, 'views over views are there');
equals_fresh('updated', \&our_extras, 'updated and fresh');

# The old dump, into the new extension.
make('old_dump');
$node->command_ok([ 'pg_restore', '-d', 'old_dump', "$dir/old.dump" ], 'restore of 1.0');
is($node->safe_psql('old_dump', 'SELECT mfi_schema_version(), reasons::text ~ \'schema-behind\' FROM mfi_health(\'node\')'), '1.0|t', 'the verdict says schema-behind');
our_extras('old_dump');
$node->safe_psql('old_dump', 'SELECT mfi_migrate_schema()');
$node->safe_psql('old_dump', 'REFRESH MATERIALIZED VIEW countries');
# What is said of an UPDATE of rows by our_extras, and the moment of the migration, are another one's.
sub without_moments
{
	my ($listing) = @_;
	return $listing =~ s/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+00:00/moment/gr =~ s/^(row of public.portal_notes) .*/$1/mgr;
}
same_listing(without_moments(listing($node, 'old_dump')), without_moments($updated), 'dumped at 1.0, restored and migrated: equal');

# Adopted, with rows in every table.
make('adopted');
$node->safe_psql('adopted', legacy_schema());
$node->safe_psql('adopted', join('', map { "$_;" } map { inserts($_) } interface_tables()));
my $legacy_rows = interface_rows($node, 'adopted');
$node->safe_psql('adopted', "SET timezone = '$timezone_of_the_user'; CREATE EXTENSION mfi CASCADE");
same_listing(interface_rows($node, 'adopted'), $legacy_rows, 'adopted: no row was lost');
equals_fresh('adopted', \&no_extras, 'adopted and fresh');

# Restored in every way.
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/new.dump", 'updated' ], 'dump, custom');
$node->command_ok([ 'pg_dump', '-Fd', '-j2', '-f', "$dir/new.dir", 'updated' ], 'dump, directory');
$node->command_ok([ 'pg_dump', '-Fp', '-f', "$dir/new.sql", 'updated' ], 'dump, plain');
make(qw(custom plain directory));
$node->command_ok([ 'pg_restore', '-d', 'custom', "$dir/new.dump" ], 'custom');
$node->command_ok([ 'pg_restore', '-d', 'directory', '-j4', "$dir/new.dir" ], 'directory -j4');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', "$dir/new.sql", 'plain' ], 'plain');
same_listing(listing($node, $_), $updated, "$_: equal") for qw(custom plain directory);
$node->safe_psql('custom', "INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) VALUES ('LOGIN', 'c', 'r', '2011-11-11'); SELECT mfi_audit_ensure_partitions(9)");
$node->command_ok([ 'pg_restore', '-d', 'custom', '--clean', "$dir/new.dump" ], '--clean');
same_listing(listing($node, 'custom'), $updated, '--clean over a later state: equal');

# pg_upgrade, into a new cluster of the same version.
my $adopted = listing($node, 'adopted');
$node->stop;
my $new = PostgreSQL::Test::Cluster->new('upgraded');
$new->init;
my $bindir = $node->config_data('--bindir');
command_ok([ 'pg_upgrade', '--no-sync', '-d', $node->data_dir, '-D', $new->data_dir, '-b', $bindir, '-B', $bindir, '-s', $new->host,
	'-p', $node->port, '-P', $new->port, '--copy' ], 'pg_upgrade');
$new->start;
same_listing(listing($new, 'updated'), $updated, 'pg_upgrade: equal');
same_listing(listing($new, 'adopted'), $adopted, 'pg_upgrade of the adopted one: equal');
$new->stop;
done_testing();
