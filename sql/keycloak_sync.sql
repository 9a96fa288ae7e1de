--
-- Group sync: snapshots of Keycloak's groups become portal_groups and mfi_groups
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP DATABASE IF EXISTS regression_mfi_sync;
DROP ROLE IF EXISTS regress_mfi_sync;
CREATE DATABASE regression_mfi_sync;
CREATE ROLE regress_mfi_sync;
\c regression_mfi_sync
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE EXTENSION mfi CASCADE;
\getenv abs_srcdir PG_ABS_SRCDIR
\set path :abs_srcdir '/t/keycloak/snapshot_1_flat.json'
\set first `cat :'path'`
\set path :abs_srcdir '/t/keycloak/snapshot_2_flat_rename_move_delete_add.json'
\set second `cat :'path'`
\set path :abs_srcdir '/t/keycloak/snapshot_3_name_swap.json'
\set third `cat :'path'`
\set path :abs_srcdir '/t/keycloak/snapshot_bad_duplicates_orphan_noid_blank_slash.json'
\set bad `cat :'path'`
\set ops '00000000-0000-0000-0000-0000000000a1'
\set other '00000000-0000-0000-0000-0000000000a2'
\set umoja '00000000-0000-0000-0000-0000000000b1'
INSERT INTO portals (id, name, realm_id, client_id, is_active) VALUES (:'ops', 'Ops', 'ops', 'ops-web', true), (:'other', 'Other', 'other', 'other-web', true);
INSERT INTO mfi_clients (id, name, schema, realm_id, client_id) VALUES (:'umoja', 'Umoja', 'umoja', 'umoja', 'umoja-app');

-- The outcome and the counts that are not 0; the changes; the warnings
CREATE FUNCTION brief(report jsonb) RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(' ', report ->> 'outcome', string_agg(value::text || ' ' || key, ', ' ORDER BY key COLLATE "C"))
    FROM jsonb_each(report -> 'counts') WHERE value <> '0' $$;
CREATE FUNCTION last_items(OUT class text, OUT old jsonb, OUT new jsonb) RETURNS SETOF record LANGUAGE sql AS $$
  SELECT i ->> 'class', nullif(i -> 'old', 'null') - '{attributes,client_roles,realm_roles,deleted_at}'::text[], nullif(i -> 'new', 'null') - '{attributes,client_roles,realm_roles}'::text[]
    FROM (SELECT report FROM mfi.sync_runs ORDER BY finished_at DESC LIMIT 1) r, jsonb_array_elements(report -> 'items') i $$;
CREATE FUNCTION entries(list jsonb, OUT code text, OUT path_in_input text, OUT message text, OUT id text) RETURNS SETOF record LANGUAGE sql AS $$
  SELECT e ->> 'code', e ->> 'path_in_input', e ->> 'message', e ->> 'id' FROM jsonb_array_elements(list) e $$;
CREATE VIEW groups AS
  SELECT repeat('  ', depth) || name AS name, group_path, left(iam_group_id::text, 8) AS id, left(parent_iam_group_id::text, 8) AS parent, depth,
         description, attributes, deleted_at IS NOT NULL AS deleted
    FROM portal_groups ORDER BY group_path COLLATE "C", deleted_at IS NOT NULL;

-- A dry run writes nothing
SELECT brief(mfi_sync_portal_groups(:'ops', :'first', '{"dry_run": true}'));
SELECT (SELECT count(*) FROM portal_groups) AS groups, (SELECT count(*) FROM mfi.sync_runs) AS runs;

-- The first sync, then the same again
SELECT brief(mfi_sync_portal_groups(:'ops', :'first'));
SELECT * FROM groups;
CREATE TABLE before AS SELECT iam_group_id, xmin AS xmin_before, ctid AS ctid_before, updated_at FROM portal_groups;
SELECT brief(mfi_sync_portal_groups(:'ops', :'first'));
SELECT count(*) AS touched FROM before b JOIN portal_groups g USING (iam_group_id)
 WHERE b.xmin_before <> g.xmin OR b.ctid_before <> g.ctid OR b.updated_at <> g.updated_at;

-- Rename, move, delete, add; then a swap of names; then back, with a restore
SELECT brief(mfi_sync_portal_groups(:'ops', :'second'));
SELECT * FROM last_items();
SELECT * FROM groups;
SELECT brief(mfi_sync_portal_groups(:'ops', :'third'));
SELECT * FROM last_items();
SELECT brief(mfi_sync_portal_groups(:'ops', :'first', '{"restore": false, "dry_run": true}'));
SELECT brief(mfi_sync_portal_groups(:'ops', :'first'));
SELECT class, old, new FROM last_items();
SELECT kind, scope_id, called_by = session_user AS by_me, outcome FROM mfi.sync_runs ORDER BY finished_at;

-- Nested, flat, or both; attributes that were not sent stay, a description that was not sent is gone
\set a '00000000-0000-0000-0000-00000000000a'
\set b '00000000-0000-0000-0000-00000000000b'
\set c '00000000-0000-0000-0000-00000000000c'
\set d '00000000-0000-0000-0000-00000000000d'
CREATE FUNCTION g(id uuid, name text, parent uuid DEFAULT NULL, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_strip_nulls(jsonb_build_object('id', id, 'name', name, 'parentId', parent)) || more $$;
SELECT brief(mfi_sync_portal_groups(:'other', jsonb_build_array(
  g(:'a', 'a', NULL, jsonb_build_object('description', 'first', 'attributes', '{"k": ["v"]}'::jsonb, 'realmRoles', '["r"]'::jsonb, 'clientRoles', '{"c": ["r"]}'::jsonb,
    'subGroups', jsonb_build_array(g(:'b', 'b', NULL, jsonb_build_object('subGroups', jsonb_build_array(g(:'c', 'c/d'))))))),
  g(:'b', 'b', :'a'))));
SELECT name, group_path, depth, description, attributes, realm_roles, client_roles FROM portal_groups WHERE portal_id = :'other' ORDER BY depth;
SELECT brief(mfi_sync_portal_groups(:'other', jsonb_build_array(g(:'a', 'a'), g(:'c', 'c/d', :'b'), g(:'b', 'b', :'a'))));
SELECT name, description, attributes, realm_roles, client_roles FROM portal_groups WHERE iam_group_id = :'a';
SELECT entries.* FROM mfi_sync_portal_groups(:'other', jsonb_build_array(g(:'a', 'a'), g(:'c', 'c/d', :'b'), g(:'b', 'b', :'a'), g(:'d', 'A')), '{"dry_run": true}') r,
  entries(r -> 'warnings');

-- An ancestor moves: what is under it changes its path only. Parent and child change places
SELECT brief(mfi_sync_portal_groups(:'other', jsonb_build_array(g(:'a', 'top'), g(:'c', 'c/d', :'b'), g(:'b', 'b', :'a'))));
SELECT class, old, new FROM last_items();
SELECT brief(mfi_sync_portal_groups(:'other', jsonb_build_array(g(:'b', 'b'), g(:'a', 'top', :'b'), g(:'c', 'c/d', :'a'))));
SELECT class, old, new FROM last_items();

-- A part of the tree: nothing is deleted; parents may be known from before
SELECT brief(mfi_sync_portal_groups(:'other', jsonb_build_array(g(:'d', 'd', :'c')), '{"complete": false}'));
SELECT name, group_path, depth FROM portal_groups WHERE portal_id = :'other' ORDER BY depth;
SELECT brief(mfi_sync_portal_groups(:'other', '[]', '{"complete": false}'));
SELECT entries.* FROM mfi_sync_portal_groups(:'other', jsonb_build_array(g(:'b', 'b', :'d')), '{"complete": false, "dry_run": true}') r, entries(r -> 'errors');
SELECT entries.* FROM mfi_sync_portal_groups(:'other', jsonb_build_array(g('00000000-0000-0000-0000-0000000000fd', 'top', :'b')), '{"complete": false, "dry_run": true}') r, entries(r -> 'errors');
SELECT entries.* FROM mfi_sync_portal_groups(:'other', jsonb_build_array(g('00000000-0000-0000-0000-0000000000ff', 'x', '00000000-0000-0000-0000-0000000000fe')),
  '{"complete": false, "dry_run": true}') r, entries(r -> 'errors');

-- Deleted and made anew in Keycloak: another id. Members are not carried over, and are counted
INSERT INTO portal_users (id_iam, username, fname, email, id_group) VALUES (:'a', 'u1', 'U', 'u1@example.com', :'d'), (:'b', 'u2', 'U', 'u2@example.com', :'a');
INSERT INTO user_groups (user_id, group_id) VALUES (:'a', :'d'), (:'b', :'d');
SELECT brief(r), r -> 'replaced' AS replaced, r -> 'affected_users' AS affected_users
  FROM mfi_sync_portal_groups(:'other', jsonb_build_array(g(:'b', 'b'), g(:'a', 'top', :'b'), g(:'c', 'c/d', :'a'), g('00000000-0000-0000-0000-0000000000d2', 'd', :'c'))) r;
SELECT (SELECT count(*) FROM user_groups) AS memberships, (SELECT count(*) FROM v_user_group_assignments) AS seen, (SELECT user_count FROM v_active_portals WHERE id = :'other') AS users;

-- Only the part under one group
SELECT brief(mfi_sync_mfi_groups(:'umoja', jsonb_build_array(
  g('00000000-0000-0000-0000-0000000000e1', 'mfis', NULL, '{"path": "/mfis"}'), g('00000000-0000-0000-0000-0000000000e2', 'umoja', '00000000-0000-0000-0000-0000000000e1', '{"path": "/mfis/umoja"}'),
  g('00000000-0000-0000-0000-0000000000e3', 'tellers', '00000000-0000-0000-0000-0000000000e2', '{"path": "/mfis/umoja/tellers"}'),
  g('00000000-0000-0000-0000-0000000000e4', 'umoja_x', '00000000-0000-0000-0000-0000000000e1', '{"path": "/mfis/umoja_x"}')), '{"root_group_path": "/mfis/umoja"}'));
SELECT name, group_path, depth, id_mfi FROM mfi_groups ORDER BY depth;
SELECT brief(mfi_sync_mfi_groups(:'umoja', jsonb_build_array(g('00000000-0000-0000-0000-0000000000e3', 'clerks', '00000000-0000-0000-0000-0000000000e2')), '{"complete": false}'));
SELECT mfi_sync_mfi_groups(:'umoja', jsonb_build_array(g(:'a', 'top')), '{"root_group_path": "/mfis"}');

-- Groups that an application wrote: taken over by id, left alone otherwise, or another portal's
INSERT INTO portal_groups (iam_group_id, name, group_path, portal_id) VALUES
  ('00000000-0000-0000-0000-0000000000c1', 'mine', '/ops/mine', NULL), ('00000000-0000-0000-0000-0000000000c2', 'left', '/ops/left', NULL),
  ('00000000-0000-0000-0000-0000000000c3', 'theirs', '/other/theirs', NULL);
SELECT brief(r), e.code, e.message FROM mfi_sync_portal_groups(:'ops', :'first'::jsonb || g('00000000-0000-0000-0000-0000000000c1', 'mine', NULL, '{"path": "/ops/mine"}')) r, entries(r -> 'warnings') e;
SELECT class, old, new FROM last_items();
SELECT name, portal_id, deleted_at FROM portal_groups WHERE group_path IN ('/ops/mine', '/ops/left') ORDER BY name;
SELECT mfi_sync_portal_groups(:'ops', :'first'::jsonb || g('00000000-0000-0000-0000-0000000000c3', 'theirs'));
SELECT mfi_sync_portal_groups(:'ops', :'first'::jsonb || g(:'a', 'top'));

-- Errors: each is named with its place, and nothing is written
CREATE TABLE state AS SELECT to_jsonb(g) AS row, xmin AS x FROM portal_groups g;
CREATE FUNCTION changed() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM (SELECT row, x FROM state FULL JOIN (SELECT to_jsonb(g) AS row, xmin AS x FROM portal_groups g) n USING (row, x)
  WHERE n IS NULL OR state IS NULL) d $$;
SELECT count(*) AS runs FROM mfi.sync_runs \gset
SELECT mfi_sync_portal_groups(:'ops', :'bad');
\echo :LAST_ERROR_SQLSTATE
SELECT entries.* FROM mfi_sync_portal_groups(:'ops', :'bad', '{"dry_run": true}') r, entries(r -> 'errors');
SELECT mfi_sync_portal_groups(NULL, '[]');
SELECT mfi_sync_portal_groups(:'a', '[]');
SELECT mfi_sync_mfi_groups(:'ops', '[]');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT mfi_sync_portal_groups(:'ops', '[]');
ROLLBACK;
SELECT mfi_sync_portal_groups(:'ops', NULL);
SELECT mfi_sync_portal_groups(:'ops', '{"id": "x"}');
SELECT mfi_sync_portal_groups(:'ops', '[]', NULL);
SELECT mfi_sync_portal_groups(:'ops', '[]', '[]');
SELECT mfi_sync_portal_groups(:'ops', '[]', '{"dry-run": true, "force": 1}');
SELECT mfi_sync_portal_groups(:'ops', '[]', '{"dry_run": "true", "complete": null, "max_delete_ratio": 1.5, "max_delete_count": 0.5, "root_group_path": "ops", "allow_empty": 1, "restore": []}');
SELECT mfi_sync_portal_groups(:'ops', '[]');
\echo :LAST_ERROR_SQLSTATE
SELECT mfi_sync_portal_groups(:'ops', '[]', '{"allow_empty": true}');
SELECT mfi_sync_portal_groups(:'ops', jsonb_build_array(:'first'::jsonb -> 4));
SELECT mfi_sync_portal_groups(:'ops', :'first'::jsonb - 5, '{"max_delete_count": 0}');
SELECT mfi_sync_portal_groups(:'ops', :'first'::jsonb - 1);
SELECT entries.* FROM mfi_sync_portal_groups(:'ops', jsonb_build_array(7, '{}'::jsonb, 'null'::jsonb, '[]'::jsonb,
  '{"id": "", "name": null}'::jsonb, '{"id": 12, "name": 12}'::jsonb, '{"id": "{00000000-0000-0000-0000-00000000000a}", "name": "\t"}'::jsonb, g(:'a', 'a', NULL, '{"parentId": "root"}'),
  g(:'a', 'a', NULL, '{"path": 1, "description": {}, "attributes": [], "realmRoles": {}, "clientRoles": [], "subGroupCount": -1, "subGroups": {}}'),
  g(:'a', 'a', NULL, '{"path": "", "subGroupCount": 1.5, "subGroups": [{"id": "x"}, {"subGroups": [false]}]}')), '{"dry_run": true}') r, entries(r -> 'errors');
SELECT entries.* FROM mfi_sync_portal_groups(:'ops', jsonb_build_array(
  g(:'a', 'a', NULL, jsonb_build_object('subGroups', jsonb_build_array(g(:'b', 'b'), g(:'c', 'c', :'d')))), g(:'d', 'd', NULL, jsonb_build_object('subGroups', jsonb_build_array(g(:'b', 'b')))),
  g(:'a', 'other'), g(upper(:'d')::uuid, 'd')), '{"dry_run": true}') r, entries(r -> 'errors');
SELECT entries.* FROM mfi_sync_portal_groups(:'ops', jsonb_build_array(g(:'a', 'a', :'c'), g(:'b', 'b', :'a'), g(:'c', 'c', :'b'), g(:'d', 'd', :'d'),
  g('00000000-0000-0000-0000-0000000000f1', 'under a cycle', :'d'), g('00000000-0000-0000-0000-0000000000f2', 'same'), g('00000000-0000-0000-0000-0000000000f3', 'same'),
  g('00000000-0000-0000-0000-0000000000f4', 'of four', NULL, '{"subGroupCount": 4}'), g('00000000-0000-0000-0000-0000000000f5', 'same', '00000000-0000-0000-0000-0000000000f4')),
  '{"dry_run": true}') r, entries(r -> 'errors');
SELECT mfi_sync_portal_groups(:'ops', (SELECT jsonb_agg(g(md5(n::text)::uuid, 'same')) FROM generate_series(1, 30) n));
SELECT changed(), count(*) - :runs AS runs, to_regclass('pg_temp._mfi_snapshot') FROM mfi.sync_runs;

-- Back in another portal, after its own has lost it; guards lifted
SELECT brief(mfi_sync_portal_groups(:'other', jsonb_build_array(g(:'b', 'b'), g(:'a', 'top', :'b')), '{"max_delete_ratio": 0.8}'));
SELECT brief(mfi_sync_portal_groups(:'ops', :'first'::jsonb || g(:'c', 'c')));
SELECT class, old, new FROM last_items();
SELECT brief(mfi_sync_portal_groups(:'ops', '[]', '{"allow_empty": true, "max_delete_ratio": 1}'));
SELECT count(*) FILTER (WHERE deleted_at IS NULL) AS live, count(*) FROM portal_groups WHERE portal_id = :'ops';

-- Records of runs that changed nothing do not pile up
UPDATE mfi.sync_runs SET started_at = now() - interval '31 days';
SELECT brief(mfi_sync_portal_groups(:'other', jsonb_build_array(g(:'b', 'b'), g(:'a', 'top', :'b'))));
SELECT outcome, count(*), count(*) FILTER (WHERE started_at < now() - interval '1 day') AS old FROM mfi.sync_runs WHERE scope_id = :'other' GROUP BY 1 ORDER BY 1;

-- One GRANT is enough, and nothing else comes with it
SET ROLE regress_mfi_sync;
SELECT mfi_sync_portal_groups(:'other', '[]');
RESET ROLE;
GRANT EXECUTE ON FUNCTION mfi_sync_portal_groups TO regress_mfi_sync;
CREATE SCHEMA trap AUTHORIZATION regress_mfi_sync;
SET ROLE regress_mfi_sync;
SET search_path = trap, public, pg_catalog;
CREATE FUNCTION trap.jsonb_typeof(jsonb) RETURNS text LANGUAGE sql AS $$ SELECT 'trapped' $$;
SELECT public.mfi_sync_portal_groups(:'other', jsonb_build_array(jsonb_build_object('id', :'b', 'name', 'b'), jsonb_build_object('id', :'a', 'name', 'top', 'parentId', :'b'))) ->> 'outcome' AS outcome;
SELECT count(*) FROM portal_groups;
CREATE TEMP TABLE _mfi_snapshot (id uuid);
SELECT public.mfi_sync_portal_groups(:'other', '[]');
RESET ROLE;
RESET search_path;

\c postgres
DROP DATABASE regression_mfi_sync;
DROP ROLE regress_mfi_sync;
