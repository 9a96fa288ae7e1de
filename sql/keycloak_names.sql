--
-- Group sync where names have slashes, so that two groups have one path: the root of a part is found by names from the top
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP DATABASE IF EXISTS regression_mfi_names;
CREATE DATABASE regression_mfi_names;
\c regression_mfi_names
SET client_min_messages = warning;
CREATE EXTENSION mfi CASCADE;
\set umoja '00000000-0000-0000-0000-0000000000b1'
\set other '00000000-0000-0000-0000-0000000000b2'
INSERT INTO mfi_clients (id, name, schema, realm_id, client_id) VALUES (:'umoja', 'Umoja', 'umoja', 'r', 'umoja-app'), (:'other', 'Other', 'other', 'r', 'other-app');
CREATE FUNCTION g(id text, name text, path text, parent text DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_strip_nulls(jsonb_build_object('id', '00000000-0000-0000-0000-0000000000' || id, 'name', name, 'path', path, 'parentId', '00000000-0000-0000-0000-0000000000' || parent)) $$;
CREATE FUNCTION tried(root jsonb, groups jsonb, more jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
  SELECT coalesce((SELECT string_agg(concat_ws(' ', e ->> 'code', right(e ->> 'id', 2), e ->> 'message'), E'\n') FROM jsonb_array_elements(r -> 'errors') e),
                  (SELECT string_agg((i #>> '{new,path}') || ' ' || right(i ->> 'id', 2), ', ') FROM jsonb_array_elements(r -> 'items') i))
    FROM mfi_sync_mfi_groups('00000000-0000-0000-0000-0000000000b1', groups, jsonb_build_object('root_group_path', root, 'dry_run', true) || more) r $$;
SELECT jsonb_build_array(g('01', 'mfis', '/mfis'), g('02', 'umoja', '/mfis/umoja', '01'), g('03', 'tellers', '/mfis/umoja/tellers', '02'),
  g('04', 'mfis/umoja', '/mfis/umoja'), g('05', 'foreign', '/mfis/umoja/foreign', '04'), g('06', 'umoja/tellers', '/mfis/umoja/tellers', '01')) AS twice \gset

-- Two groups have the path: neither is taken, each can be named
SELECT tried('"/mfis/umoja"', :'twice');
SELECT tried('["mfis", "umoja"]', :'twice');
SELECT tried('["mfis/umoja"]', :'twice');
SELECT tried('"/mfis~/umoja"', :'twice');
SELECT tried('"/mfis/umoja/tellers"', :'twice');
SELECT tried('["mfis", "umoja/tellers"]', :'twice');
SELECT tried('["mfis"]', :'twice');
SELECT tried('["mfis", "umoja", "none"]', :'twice');
SELECT tried('"/umoja"', :'twice');
SELECT tried('"/mfis/umoja/"', :'twice');
SELECT mfi_sync_mfi_groups(:'umoja', :'twice', '{"root_group_path": "/mfis/umoja"}');
SELECT count(*) AS groups FROM mfi_groups;

-- One of them alone is found by its path; so are names that look like escaped ones
SELECT tried('"/mfis/umoja"', :'twice'::jsonb - 5 - 4 - 3);
SELECT tried('"/mfis/umoja"', jsonb_build_array(:'twice'::jsonb -> 3, :'twice'::jsonb -> 4));
SELECT tried('"/a~/b"', jsonb_build_array(g('01', 'a~', '/a~'), g('02', 'b', '/a~/b', '01')));
SELECT tried('"/a~/b"', jsonb_build_array(g('01', 'a~', '/a~'), g('02', 'b', '/a~/b', '01'), g('03', 'a/b', '/a/b')));
SELECT tried('["a~/b"]', jsonb_build_array(g('01', 'a~', '/a~'), g('02', 'b', '/a~/b', '01'), g('03', 'a~/b', '/a~/b')));
-- Whatever path was sent
SELECT tried('"/mfis/umoja"', jsonb_build_array(g('01', 'mfis', '/x'), g('02', 'umoja', '/mfis', '01'), g('03', 'other', '/mfis/umoja', '01')));
SELECT tried('"/mfis/umoja"', jsonb_build_array(g('01', 'mfis', NULL), g('02', 'umoja', NULL, '01')));

-- What is wrong with it
SELECT tried('"mfis"', '[]');
\set VERBOSITY terse
SELECT tried('[]', '[]');
SELECT tried('[1]', '[]');
SELECT tried('["a", null]', '[]');
SELECT tried('{"a": "/b"}', '[]');
\set VERBOSITY default

-- Synced by names; a part of it, with what is known from before above it
SELECT r -> 'counts' FROM mfi_sync_mfi_groups(:'umoja', :'twice', '{"root_group_path": ["mfis", "umoja"]}') r;
SELECT r -> 'counts' FROM mfi_sync_mfi_groups(:'other', :'twice', '{"root_group_path": ["mfis/umoja"]}') r;
SELECT id_mfi, name, group_path, depth FROM mfi_groups ORDER BY 1, 4;
SELECT tried('"/mfis/umoja"', jsonb_build_array(g('07', 'clerks', NULL, '02')), '{"complete": false}');
SELECT tried('"/mfis/umoja/clerks"', jsonb_build_array(g('07', 'clerks', NULL, '02')), '{"complete": false}');

-- One path of two is told; and what was deleted there is not replaced by the other
SELECT w ->> 'code' AS code, right(w ->> 'id', 2) AS id, w ->> 'message' AS message
  FROM mfi_sync_mfi_groups(:'umoja', jsonb_build_array(g('02', 'umoja', '/u'), g('08', 'a', '/u/a', '02'), g('09', 'x', '/u/a/x', '08'), g('0a', 'a/x', '/u/a/x', '02')), '{"max_delete_ratio": 1}') r,
       jsonb_array_elements(r -> 'warnings') w;
SELECT r -> 'replaced' AS replaced FROM mfi_sync_mfi_groups(:'umoja', jsonb_build_array(g('02', 'umoja', '/u'), g('0b', 'a/a', '/u/a/a', '02'), g('0c', 'x', '/u/a/a/x', '0b')), '{"max_delete_ratio": 1}') r;
SELECT r -> 'replaced' AS replaced FROM mfi_sync_mfi_groups(:'umoja', jsonb_build_array(g('02', 'umoja', '/u'), g('0d', 'a', '/u/a', '02'), g('0e', 'a', '/u/a/a', '0d'), g('0f', 'x', '/u/a/a/x', '0e')), '{"max_delete_ratio": 1}') r;

\c postgres
DROP DATABASE regression_mfi_names;
