--
-- What the tables and views do
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP DATABASE IF EXISTS regression_mfi_rules;
CREATE DATABASE regression_mfi_rules;
\c regression_mfi_rules
SET client_min_messages = warning;
CREATE EXTENSION mfi CASCADE;

-- updated_at moves on a real change only
INSERT INTO portals (id, name, realm_id, client_id, is_active, created_on, updated_at) VALUES
  ('00000000-0000-0000-0000-000000000001', 'Branch', 'branch', 'branch-web', true, '2020-01-01', '2020-01-01'),
  ('00000000-0000-0000-0000-000000000002', 'Empty', 'empty', 'empty-web', true, '2020-01-01', '2020-01-01'),
  ('00000000-0000-0000-0000-000000000003', 'Closed', 'closed', 'closed-web', false, '2020-01-01', '2020-01-01');
CREATE VIEW moved AS SELECT name, updated_at > '2020-01-02' AS moved FROM portals ORDER BY id;
UPDATE portals SET name = name, description = NULL;
SELECT * FROM moved;
UPDATE portals SET description = 'quiet' WHERE name = 'Empty';
SELECT * FROM moved;
-- also beside a user's columns: generated ones, and ones of a type that has no equality
ALTER TABLE portals ADD COLUMN label text GENERATED ALWAYS AS (upper(name)) STORED, ADD COLUMN theme json;
ALTER TABLE portals DISABLE TRIGGER touch_updated_at;
UPDATE portals SET updated_at = '2020-01-01', theme = '{"a": 1}';
ALTER TABLE portals ENABLE TRIGGER touch_updated_at;
UPDATE portals SET name = name;
SELECT * FROM moved;
UPDATE portals SET theme = '{"a": 2}' WHERE name = 'Branch';
SELECT * FROM moved;
-- every table that has updated_at has the trigger
SELECT attrelid::regclass FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid AND relkind = 'r'
 WHERE attname = 'updated_at'
   AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = attrelid AND tgname = 'touch_updated_at');

-- Refused values
\set VERBOSITY terse
INSERT INTO mfi_country (name, iso_alpha2) VALUES ('Lesotho', 'ls');
INSERT INTO mfi_country (name) VALUES ('Kenya');
INSERT INTO mfi_clients (name, schema, realm_id, client_id, branches) VALUES ('M', 'm', 'm', 'm', -1);
INSERT INTO mfi_clients (name, schema, realm_id, client_id, expected_clients) VALUES ('M', 'm', 'm', 'm', -1);
INSERT INTO portal_groups (iam_group_id, parent_iam_group_id, name, group_path)
VALUES ('10000000-0000-0000-0000-000000000009', '10000000-0000-0000-0000-000000000009', 'own parent', '/own parent');

-- A small hub
INSERT INTO portal_groups (iam_group_id, name, group_path) VALUES
  ('10000000-0000-0000-0000-000000000001', 'tellers', '/branch/tellers'),
  ('10000000-0000-0000-0000-000000000002', 'managers', '/branch/managers'),
  ('10000000-0000-0000-0000-000000000003', 'other', '/branch-2/other'),
  ('10000000-0000-0000-0000-000000000004', 'nobody', '/branch');
INSERT INTO portal_users (id_iam, username, fname, email, id_group, created_by) VALUES
  ('20000000-0000-0000-0000-000000000001', 'ann', 'Ann', 'ann@example.com', '10000000-0000-0000-0000-000000000001', NULL),
  ('20000000-0000-0000-0000-000000000002', 'ben', 'Ben', 'ben@example.com', '10000000-0000-0000-0000-000000000001',
   '20000000-0000-0000-0000-000000000001'),
  ('20000000-0000-0000-0000-000000000003', 'cy', 'Cy', 'cy@example.com', '10000000-0000-0000-0000-000000000003', NULL);
INSERT INTO user_groups (user_id, group_id, assigned_by, assigned_on) VALUES
  ('20000000-0000-0000-0000-000000000001', '10000000-0000-0000-0000-000000000001', NULL, '2024-01-01 00:00Z'),
  ('20000000-0000-0000-0000-000000000001', '10000000-0000-0000-0000-000000000002', NULL, '2024-01-01 00:00Z'),
  ('20000000-0000-0000-0000-000000000002', '10000000-0000-0000-0000-000000000001',
   '20000000-0000-0000-0000-000000000001', '2024-01-01 00:00Z'),
  ('20000000-0000-0000-0000-000000000003', '10000000-0000-0000-0000-000000000003', NULL, '2024-01-01 00:00Z');
INSERT INTO mfi_clients (id, name, schema, realm_id, client_id, id_country, id_type) VALUES
  ('30000000-0000-0000-0000-000000000001', 'Umoja', 'umoja', 'umoja', 'umoja-app', 3, 2),
  ('30000000-0000-0000-0000-000000000002', 'Bare', 'bare', 'bare', 'bare-app', NULL, NULL);
INSERT INTO digital_platforms (id, name, id_type) VALUES
  ('40000000-0000-0000-0000-000000000001', 'Wallet', 1), ('40000000-0000-0000-0000-000000000002', 'Till', 3);
INSERT INTO mfi_platforms (mfi_id, platform_id, status, assigned_on) VALUES
  ('30000000-0000-0000-0000-000000000001', '40000000-0000-0000-0000-000000000001', 1, '2024-01-01 00:00Z'),
  ('30000000-0000-0000-0000-000000000001', '40000000-0000-0000-0000-000000000002', 2, '2024-01-01 00:00Z');
INSERT INTO mfi_platforms (mfi_id, platform_id, status)
VALUES ('30000000-0000-0000-0000-000000000002', '40000000-0000-0000-0000-000000000001', 3);

SELECT name, user_count FROM v_active_portals ORDER BY name;
SET timezone = 'UTC';
SELECT mfi_name, mfi_active, country, mfi_type_name, platform_name, platform_active, assignment_status, assigned_on
  FROM v_mfi_platforms_summary ORDER BY mfi_name, platform_name;
SELECT user_id, username, group_name, assigned_by, assigned_on
  FROM v_user_group_assignments ORDER BY username, group_name;

-- Foreign-key actions
DELETE FROM portal_groups WHERE name = 'tellers';
DELETE FROM portal_users WHERE username = 'ann';
SELECT username, created_by FROM portal_users ORDER BY username;
SELECT username, group_name, assigned_by FROM v_user_group_assignments ORDER BY username;
SELECT name, user_count FROM v_active_portals ORDER BY name;
INSERT INTO user_activity_logs (user_id, event_type_id) VALUES ('f:1:ben', 6);
DELETE FROM activity_type WHERE id = 6;
DELETE FROM activity_type WHERE id = 7;
DELETE FROM mfi_country WHERE name = 'Kenya';
DELETE FROM digital_platforms WHERE name = 'Till';
SELECT mfi_name, country, platform_name FROM v_mfi_platforms_summary ORDER BY mfi_name;
DELETE FROM mfi_clients WHERE name = 'Umoja';
SELECT count(*) FROM mfi_platforms;

-- What Keycloak sends is accepted as it is
INSERT INTO user_auth_logs (iam_event_id, iam_user_id, event_type, client_id, realm_id, ip_address, event_time)
VALUES ('not-a-uuid', 'f:6d0a:ann', 'LOGIN', 'branch-web', 'branch', 'unknown', '2024-01-01 00:00Z');
INSERT INTO admin_event_logs (event_id, realm_id, resource_path) VALUES ('1', 'branch', 'groups/1/children');
-- and what applications sent before the types were widened
INSERT INTO admin_event_logs (event_id, realm_id, resource_path)
VALUES ('00000000-0000-0000-0000-000000000001'::uuid, '00000000-0000-0000-0000-000000000001'::uuid, '"users/1"'::jsonb);
SELECT event_id, realm_id, resource_path FROM admin_event_logs ORDER BY event_id COLLATE "C";

-- The record of migrations stays as it is
\set VERBOSITY default
DELETE FROM mfi.schema_version;
UPDATE mfi.schema_version SET version = '2.0';
TRUNCATE mfi.schema_version;

\c postgres
DROP DATABASE regression_mfi_rules;
