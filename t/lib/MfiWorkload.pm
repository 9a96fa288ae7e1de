package MfiWorkload;

# Changes a bank's database as its users would: rows of every table, then definitions of their own.

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
our @EXPORT_OK = qw(change_rows change_definitions);

my $change_rows = <<'SQL';
CREATE FUNCTION pg_temp.a_text() RETURNS text LANGUAGE sql VOLATILE AS $$
  SELECT (ARRAY['plain', '', 'it''s', 'back\slash', E'two\nlines', E'tab\there', 'Zoë 北京 🏦', '\N', '{"a":1}',
                'long ' || repeat('x', 3000)])[1 + floor(random() * 10)] || ' ' || md5(random()::text) $$;
CREATE FUNCTION pg_temp.a_uuid() RETURNS uuid LANGUAGE sql VOLATILE AS $$ SELECT md5(random()::text)::uuid $$;
CREATE FUNCTION pg_temp.one_of(relation text, key text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE found text;
BEGIN
  EXECUTE format('SELECT %1$I FROM (SELECT %1$I, row_number() OVER (ORDER BY %1$I) AS n, count(*) OVER () AS total FROM %2$I) r '
                 'WHERE n = 1 + floor($1 * total)', key, relation) INTO found USING random();
  RETURN found;
END $$;
CREATE FUNCTION pg_temp.change() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  portal_user uuid := pg_temp.one_of('portal_users', 'id_iam');
  portal_group uuid := pg_temp.one_of('portal_groups', 'iam_group_id');
  mfi uuid := pg_temp.one_of('mfi_clients', 'id');
  seeds text := (ARRAY['activity_type', 'mfi_country', 'mfi_type', 'platform_type'])[1 + floor(random() * 4)];
  any_table text := (ARRAY['portals', 'portal_groups', 'portal_users', 'mfi_clients', 'mfi_groups', 'mfi_users',
                           'digital_platforms'])[1 + floor(random() * 7)];
BEGIN
  CASE floor(random() * 17)
  WHEN 0 THEN INSERT INTO portals (id, name, description, realm_id, client_id, is_active)
    VALUES (pg_temp.a_uuid(), pg_temp.a_text(), pg_temp.a_text(), 'realm', 'web', random() < 0.5);
  WHEN 1 THEN INSERT INTO portal_groups (id, iam_group_id, name, group_path, parent_iam_group_id)
    VALUES (pg_temp.a_uuid(), pg_temp.a_uuid(), pg_temp.a_text(), '/realm/' || pg_temp.a_text(), portal_group);
  WHEN 2 THEN INSERT INTO portal_users (id_iam, username, fname, email, id_group, created_by)
    VALUES (pg_temp.a_uuid(), pg_temp.a_text(), 'F', 'f@example.com', portal_group, portal_user);
  WHEN 3 THEN INSERT INTO user_groups (user_id, group_id, assigned_by) VALUES (portal_user, portal_group, portal_user);
  WHEN 4 THEN INSERT INTO mfi_clients (id, name, schema, realm_id, client_id, id_country, id_type, created_by)
    VALUES (pg_temp.a_uuid(), pg_temp.a_text(), 's', 'r', 'c', pg_temp.one_of('mfi_country', 'id')::int,
            pg_temp.one_of('mfi_type', 'id')::int, portal_user);
  WHEN 5 THEN INSERT INTO mfi_groups (id, iam_group_id, id_mfi, name, group_path)
    VALUES (pg_temp.a_uuid(), pg_temp.a_uuid(), mfi, pg_temp.a_text(), '/r');
  WHEN 6 THEN INSERT INTO mfi_users (id_iam, id_mfi, username, fname, email, id_group)
    VALUES (pg_temp.a_uuid(), mfi, pg_temp.a_text(), 'F', 'f@example.com', pg_temp.one_of('mfi_groups', 'iam_group_id')::uuid);
  WHEN 7 THEN INSERT INTO digital_platforms (id, name, id_type)
    VALUES (pg_temp.a_uuid(), pg_temp.a_text(), pg_temp.one_of('platform_type', 'id')::int);
  WHEN 8 THEN INSERT INTO mfi_platforms (mfi_id, platform_id, status)
    VALUES (mfi, pg_temp.one_of('digital_platforms', 'id')::uuid, floor(random() * 3));
  WHEN 9 THEN INSERT INTO user_auth_logs (id, event_type, client_id, realm_id, event_time, details)
    VALUES (pg_temp.a_uuid(), 'LOGIN', 'web', 'realm', '2024-01-01'::timestamptz + random() * interval '1 year',
            jsonb_build_object('detail', pg_temp.a_text()));
  WHEN 10 THEN INSERT INTO admin_event_logs (id, event_id, realm_id, resource_path, representation)
    VALUES (pg_temp.a_uuid(), pg_temp.a_text(), 'realm', pg_temp.a_text(), to_jsonb(pg_temp.a_text()));
  WHEN 11 THEN INSERT INTO user_activity_logs (user_id, event_type_id, error)
    VALUES (pg_temp.a_text(), pg_temp.one_of('activity_type', 'id')::int, pg_temp.a_text());
  WHEN 12 THEN INSERT INTO mfi_user_activity_logs (user_id, event_type_id, event_time)
    VALUES (pg_temp.a_text(), pg_temp.one_of('activity_type', 'id')::int, now());
  WHEN 13 THEN EXECUTE format('INSERT INTO %I (name) VALUES ($1)', seeds) USING pg_temp.a_text();
  WHEN 14 THEN EXECUTE format('UPDATE %I SET name = $1 WHERE id = $2', seeds)
    USING pg_temp.a_text(), pg_temp.one_of(seeds, 'id')::int;
  WHEN 15 THEN
    IF random() < 0.5 THEN
      EXECUTE format('DELETE FROM %I WHERE id = $1', seeds) USING pg_temp.one_of(seeds, 'id')::int;
    ELSE
      EXECUTE format('DELETE FROM %I WHERE id::text = $1', any_table) USING pg_temp.one_of(any_table, 'id');
    END IF;
  WHEN 16 THEN EXECUTE format('UPDATE %I SET updated_at = now() WHERE id::text = $1', any_table)
    USING pg_temp.one_of(any_table, 'id');
  END CASE;
EXCEPTION WHEN integrity_constraint_violation THEN NULL;  -- a parent was missing, or a key refused it
END $$;
SQL

# COUNT random inserts, updates and deletes, the same for the same SEED; no table stays empty.
sub change_rows
{
	my ($node, $database, $seed, $count) = @_;
	# The seed is a fraction, as setseed() wants it.
	$node->safe_psql($database,
		"$change_rows SELECT setseed($seed); SELECT pg_temp.change() FROM generate_series(1, $count);");
	return;
}

# A user's own column, index, view, grant and more, on top of the extension's schema.
sub change_definitions
{
	my ($node, $database, $role) = @_;
	$node->safe_psql($database, <<"SQL");
ALTER TABLE portals ADD COLUMN theme json, ADD COLUMN label text GENERATED ALWAYS AS (upper(name)) STORED;
UPDATE portals SET theme = '{"colour": "green"}';
ALTER TABLE mfi_users ALTER COLUMN temp_lock SET DEFAULT true;
ALTER TABLE mfi_clients DROP COLUMN logo_url;
ALTER TABLE digital_platforms ADD CONSTRAINT version_form CHECK (current_version ~ '^[0-9.]+\$') NOT VALID;
CREATE INDEX portals_realm ON portals (lower(realm_id)) WHERE is_active;
DROP INDEX user_groups_assigned_by_idx;
CREATE VIEW busy_portals AS SELECT id, name FROM v_active_portals WHERE user_count > 0;
CREATE MATERIALIZED VIEW countries AS SELECT name FROM mfi_country;
CREATE TABLE portal_notes (id serial PRIMARY KEY, portal uuid REFERENCES portals ON DELETE CASCADE, note text);
INSERT INTO portal_notes (portal, note) SELECT id, 'note' FROM portals;
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER note_change AFTER UPDATE ON portals FOR EACH ROW EXECUTE FUNCTION note_change();
ALTER TABLE portal_groups DISABLE TRIGGER touch_updated_at;
ALTER TABLE mfi_users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON mfi_users USING (username = current_user);
ALTER SEQUENCE portal_users_id_seq RESTART 5000;
COMMENT ON TABLE portals IS 'Our portals';
SELECT 'CREATE ROLE $role' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$role') \\gexec
GRANT SELECT, INSERT ON portals TO $role WITH GRANT OPTION;
GRANT SELECT (id, username) ON portal_users TO $role;
GRANT SELECT ON v_active_portals TO PUBLIC;
GRANT USAGE ON SEQUENCE portal_users_id_seq TO $role;
REVOKE SELECT ON mfi.schema_version FROM pg_monitor;
GRANT USAGE ON SCHEMA mfi_audit TO $role;
SQL
	return;
}

1;
