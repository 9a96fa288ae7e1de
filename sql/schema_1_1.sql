--
-- What version 1.1 adds: groups that belong to a portal by key or are deleted, and audit tables that only grow
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP DATABASE IF EXISTS regression_mfi_1_1;
CREATE DATABASE regression_mfi_1_1;
\c regression_mfi_1_1
SET client_min_messages = warning;
CREATE EXTENSION mfi CASCADE;
SET timezone = 'Pacific/Apia';

-- A group belongs to a portal by key, and by its path only without one
INSERT INTO portals (id, name, realm_id, client_id, is_active) VALUES
  ('00000000-0000-0000-0000-00000000000a', 'A', 'a', 'w', true), ('00000000-0000-0000-0000-00000000000b', 'B', 'b', 'w', true),
  ('00000000-0000-0000-0000-00000000000c', 'C', 'c', 'w', false), ('00000000-0000-0000-0000-00000000000d', 'D', 'd', 'w', true);
INSERT INTO portal_groups (iam_group_id, name, group_path, portal_id) VALUES
  ('10000000-0000-0000-0000-000000000001', 'by path', '/a/x', NULL), ('10000000-0000-0000-0000-000000000002', 'no slash', 'a', NULL),
  ('10000000-0000-0000-0000-000000000003', 'by key', '/b/x', '00000000-0000-0000-0000-00000000000a'),
  ('10000000-0000-0000-0000-000000000004', 'of B', '/b', '00000000-0000-0000-0000-00000000000b'),
  ('10000000-0000-0000-0000-000000000005', 'of none', '/ab', NULL), ('10000000-0000-0000-0000-000000000006', 'of C', '/c', NULL);
INSERT INTO portal_users (id_iam, username, fname, email, id_group)
SELECT ('20000000-0000-0000-0000-00000000000' || n)::uuid, 'user ' || n, 'F', 'e', '10000000-0000-0000-0000-000000000001' FROM generate_series(1, 7) n;
INSERT INTO user_groups (user_id, group_id)
SELECT ('20000000-0000-0000-0000-00000000000' || u)::uuid, ('10000000-0000-0000-0000-00000000000' || g)::uuid
  FROM (VALUES (1, 1), (1, 2), (1, 3), (2, 2), (3, 3), (4, 3), (4, 4), (5, 5), (6, 6), (7, 1)) m (u, g);
SELECT name, user_count FROM v_active_portals ORDER BY name;
UPDATE portal_groups SET deleted_at = now() WHERE name = 'by key';
SELECT name, user_count FROM v_active_portals ORDER BY name;
SELECT username, group_name FROM v_user_group_assignments ORDER BY username, group_name;
UPDATE portal_groups SET deleted_at = NULL WHERE name = 'by key';
DELETE FROM portals WHERE name = 'A';
SELECT name, user_count FROM v_active_portals ORDER BY name;
SELECT name, portal_id FROM portal_groups WHERE name = 'by key';
\set VERBOSITY terse
INSERT INTO portal_groups (iam_group_id, name, group_path, depth) VALUES (gen_random_uuid(), 'g', '/g', -1);
INSERT INTO portal_groups (iam_group_id, name, group_path, portal_id) VALUES (gen_random_uuid(), 'g', '/g', gen_random_uuid());
\set VERBOSITY default

-- The same as the question asked plainly, whatever the rows
SELECT setseed(0.6);
INSERT INTO portals (name, realm_id, client_id, is_active) SELECT 'P' || n, 'r' || n % 9, 'w', n % 4 > 0 FROM generate_series(1, 12) n;
INSERT INTO portal_groups (iam_group_id, name, group_path, portal_id, deleted_at)
SELECT gen_random_uuid(), 'g', repeat('/', n % 3) || 'r' || (random() * 12)::int || repeat('/x', n % 2),
       CASE WHEN random() < 0.5 THEN p.ids[1 + (random() * 11)::int] END, CASE WHEN random() < 0.2 THEN now() END
  FROM generate_series(1, 80) n, (SELECT array_agg(id ORDER BY name) FROM portals) AS p (ids);
INSERT INTO user_groups (user_id, group_id) SELECT u.id_iam, g.iam_group_id FROM portal_users u, portal_groups g WHERE random() < 0.2 ON CONFLICT DO NOTHING;
CREATE VIEW plainly AS
SELECT p.id, count(DISTINCT ug.user_id) AS user_count
  FROM portals p
  LEFT JOIN portal_groups g ON (g.portal_id = p.id OR g.portal_id IS NULL AND split_part(ltrim(g.group_path, '/'), '/', 1) = p.realm_id)
                           AND g.deleted_at IS NULL
  LEFT JOIN user_groups ug ON ug.group_id = g.iam_group_id
 WHERE p.is_active GROUP BY p.id;
SELECT count(*) > 10 AS portals, count(DISTINCT user_count) > 3 AS of_several_sizes FROM plainly;
SELECT * FROM plainly EXCEPT SELECT id, user_count FROM v_active_portals;
SELECT id, user_count FROM v_active_portals EXCEPT SELECT * FROM plainly;

-- Months are those of UTC in every zone; a time that nobody gives is now, and none at all stays none
INSERT INTO user_activity_logs (user_id, event_type_id, event_time) VALUES ('none', 1, NULL);
INSERT INTO user_activity_logs (user_id, event_type_id) VALUES ('now', 1);
INSERT INTO mfi_user_activity_logs (user_id, event_type_id) VALUES ('now', 1);
INSERT INTO admin_event_logs (event_id, realm_id) VALUES ('now', 'r');
SELECT user_id, event_time = created_on AS now, tableoid::regclass::text = _mfi_partition_name('user_activity_logs', _mfi_month(event_time)) AS placed
  FROM user_activity_logs ORDER BY user_id;
SELECT (SELECT bool_and(event_time = created_on) FROM mfi_user_activity_logs) AS now, (SELECT bool_and(event_time = created_on) FROM admin_event_logs) AS admin;
INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) VALUES
  ('LOGIN', 'c', 'r', '2024-02-29 23:59:59.999999Z'), ('LOGIN', 'c', 'r', '2024-03-01 00:00Z');
SELECT count(*) FROM mfi_audit_ensure_partitions(3);
SELECT tableoid::regclass, event_time AT TIME ZONE 'UTC' AS utc FROM user_auth_logs ORDER BY event_time;
COPY user_auth_logs (event_type, client_id, realm_id, event_time) FROM stdin;
LOGIN	c	r	2024-02-01 00:00Z
\.
SELECT tableoid::regclass, count(*) FROM user_auth_logs GROUP BY 1 ORDER BY 1;
\set VERBOSITY terse
INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) VALUES ('LOGIN', 'c', 'r', NULL);

-- An event is taken once; events without an id are all taken
INSERT INTO user_auth_logs (iam_event_id, event_type, client_id, realm_id, event_time) VALUES ('e', 'LOGIN', 'c', 'r', '2024-03-02Z');
INSERT INTO user_auth_logs (iam_event_id, event_type, client_id, realm_id, event_time) VALUES ('e', 'LOGIN', 'c', 'r', '2024-03-02Z') ON CONFLICT DO NOTHING;
INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) SELECT 'LOGIN', 'c', 'r', '2024-03-02Z' FROM generate_series(1, 2);
SELECT iam_event_id, count(*) FROM user_auth_logs WHERE event_time = '2024-03-02Z' GROUP BY 1 ORDER BY 1;
INSERT INTO admin_event_logs (event_id, realm_id, event_time) VALUES ('e', 'r', '2024-03-02Z'), ('e', 'r', '2024-03-03Z');
INSERT INTO admin_event_logs (event_id, realm_id, event_time) VALUES ('e', 'r', '2024-03-02Z');

-- Append-only, through the parent, a month and the default partition
\set VERBOSITY default
UPDATE user_auth_logs SET error = 'e';
DELETE FROM user_auth_logs;
TRUNCATE user_auth_logs;
\set VERBOSITY terse
UPDATE mfi_audit.user_auth_logs_202402 SET error = 'e';
DELETE FROM mfi_audit.user_auth_logs_202402;
TRUNCATE mfi_audit.user_auth_logs_202402;
DELETE FROM mfi_audit.user_activity_logs_default;
INSERT INTO user_auth_logs (iam_event_id, event_type, client_id, realm_id, event_time) VALUES ('e', 'LOGIN', 'c', 'r', '2024-03-02Z')
ON CONFLICT (iam_event_id, event_time) WHERE NOT duplicate DO UPDATE SET error = 'e';
INSERT INTO user_auth_logs (event_type, client_id, realm_id, event_time) VALUES ('LOGIN', 'c', 'r', '2024-03-02Z') ON CONFLICT (id) DO NOTHING;
MERGE INTO user_auth_logs l USING (VALUES ('e')) v (id) ON l.iam_event_id = v.id WHEN MATCHED THEN DELETE;
SELECT count(*) FROM user_auth_logs;

-- In a read-only transaction nothing is made, and the error says so
BEGIN READ ONLY;
SELECT mfi_audit_ensure_partitions(9);
ROLLBACK;

\c postgres
DROP DATABASE regression_mfi_1_1;
