--
-- Event import: Keycloak's user and admin events become rows of user_auth_logs and admin_event_logs, each once
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP DATABASE IF EXISTS regression_mfi_import;
DROP ROLE IF EXISTS regress_mfi_import;
CREATE DATABASE regression_mfi_import;
CREATE ROLE regress_mfi_import;
\c regression_mfi_import
SET client_min_messages = warning;
SET timezone = 'Africa/Kigali';
SET datestyle = 'ISO';
CREATE EXTENSION mfi CASCADE;
\getenv abs_srcdir PG_ABS_SRCDIR
\set path :abs_srcdir '/t/keycloak/events.json'
\set events `cat :'path'`
\set path :abs_srcdir '/t/keycloak/admin_events.json'
\set admin_events `cat :'path'`

-- The samples; the same page again inserts nothing; nor does a part of it, nor an event twice in one page
SELECT mfi_import_auth_events(:'events');
SELECT mfi_import_auth_events(:'events');
SELECT iam_event_id, extract(epoch FROM event_time) * 1000 AS ms, event_type, client_id, iam_user_id, session_id IS NOT NULL AS session, ip_address, ip, error, details FROM user_auth_logs ORDER BY event_time;
SELECT mfi_import_admin_events(:'admin_events');
SELECT mfi_import_admin_events(jsonb_build_array(:'admin_events'::jsonb -> 5, :'admin_events'::jsonb -> 0));
SELECT event_id, extract(epoch FROM event_time) * 1000 AS ms, operation_type, resource_type, resource_path, representation, representation_raw, error FROM admin_event_logs ORDER BY event_time;
SELECT DISTINCT realm_id, auth_realm_id, auth_client_uuid, auth_user_id, ip_address, ip, auth_details FROM admin_event_logs;
SELECT mfi_import_auth_events(jsonb_build_array(e, e, e || '{"time": 1767225600124}', e - 'id', e - 'id')) FROM (SELECT :'events'::jsonb -> 0 AS e) s;

-- Rows belong to their months in UTC; a month without a partition goes to the default one
SELECT mfi_import_auth_events(jsonb_agg(jsonb_build_object('time', ms, 'type', 'LOGOUT', 'realmId', 'edges')))
  FROM unnest(ARRAY[100000000000, 1767225599999, 1767225600000, 4102444800001, 99999999999999]) ms;
SELECT event_time AT TIME ZONE 'UTC' AS utc, extract(epoch FROM event_time) * 1000 AS ms FROM user_auth_logs WHERE realm_id = 'edges' ORDER BY 1;

-- Malformed neighbours are reported with their place, and hinder nobody
SELECT count(*) AS before FROM user_auth_logs \gset
SELECT e ->> 'index' AS index, e ->> 'path_in_input' AS path_in_input, e ->> 'message' AS message
  FROM mfi_import_auth_events(jsonb_build_array(
    7, 'null'::jsonb, '[]'::jsonb, '{}'::jsonb,
    '{"time": 1767225600, "type": "LOGIN", "realmId": "r"}'::jsonb, '{"time": "1767225600000", "type": "LOGIN", "realmId": "r"}'::jsonb,
    '{"time": 1767225600000.5, "type": "LOGIN", "realmId": "r"}'::jsonb, '{"time": -1767225600000, "type": "LOGIN", "realmId": "r"}'::jsonb, '{"time": 1e300, "type": "LOGIN", "realmId": "r"}'::jsonb,
    '{"time": 1767225700001, "realmId": "r"}'::jsonb, '{"time": 1767225700001, "type": " ", "realmId": "r"}'::jsonb, '{"time": 1767225700001, "type": 5, "realmId": "r"}'::jsonb, '{"time": 1767225700001, "type": "LOGIN"}'::jsonb,
    '{"time": 1767225700001, "type": "LOGIN", "realmId": "r", "clientId": 5}'::jsonb, '{"time": 1767225700001, "type": "LOGIN", "realmId": "r", "userId": {}}'::jsonb,
    '{"time": 1767225700001, "type": "LOGIN", "realmId": "r", "sessionId": []}'::jsonb, '{"time": 1767225700001, "type": "LOGIN", "realmId": "r", "ipAddress": 1}'::jsonb,
    '{"time": 1767225700001, "type": "LOGIN", "realmId": "r", "error": false}'::jsonb, '{"time": 1767225700001, "type": "LOGIN", "realmId": "r", "details": "x"}'::jsonb,
    '{"time": 1767225700001, "type": "LOGIN", "realmId": "r", "id": 5}'::jsonb, jsonb_build_object('time', 1767225700001, 'type', 'LOGIN', 'realmId', 'r', 'id', repeat('x', 256)),
    '{"time": 1767225700001, "type": "A_TYPE_OF_2031", "realmId": "good", "id": null, "clientId": null, "userId": null, "details": null, "unknownField": [1]}'::jsonb)) r, jsonb_array_elements(r -> 'errors') e;
SELECT count(*) - :before AS stored FROM user_auth_logs;
SELECT event_type, client_id, iam_user_id, details, length(iam_event_id) AS id FROM user_auth_logs WHERE realm_id = 'good';
SELECT e ->> 'path_in_input' AS path_in_input, e ->> 'message' AS message
  FROM mfi_import_admin_events('[{"time": 1767225700001, "realmId": "r"}, {"time": 1767225700001, "operationType": "CREATE", "realmId": "r", "authDetails": "x"},
    {"time": 1767225700001, "operationType": "CREATE", "realmId": "r", "resourcePath": 1}, {"time": 1767225700001, "operationType": "CREATE", "realmId": "r", "resourceType": ["GROUP"]},
    {"time": 1767225700001, "operationType": "NEW_OPERATION", "resourceType": "NEW_RESOURCE", "realmId": "r"}]') r, jsonb_array_elements(r -> 'errors') e;

-- Addresses
SELECT mfi_import_auth_events(jsonb_agg(jsonb_build_object('time', 1767225800000 + nr, 'type', 'LOGIN', 'realmId', 'addresses', 'ipAddress', a))) -> 'inserted' AS inserted
  FROM unnest(ARRAY['10.1.2.3', '2001:db8::7', 'unknown', '10.0.0.1, 10.0.0.2', '', '10.0.0.0/8', 'fe80::1%eth0', '300.1.1.1', '::ffff:10.0.0.1']) WITH ORDINALITY AS t (a, nr);
SELECT ip_address, ip FROM user_auth_logs WHERE realm_id = 'addresses' ORDER BY event_time;

-- Secrets
SELECT mfi_import_auth_events('[{"time": 1767225900000, "type": "CODE_TO_TOKEN", "realmId": "secrets", "details": {"code": "xyzzy", "code_id": "kept", "access_token": "xyzzy", "refresh_token_id": "kept",
  "Password": "xyzzy", "client_secret": "xyzzy", "username": "kept", "grant_type": "authorization_code", "a\"token": "xyzzy", "user_code": "xyzzy", "token": null}}]') -> 'inserted' AS inserted;
SELECT details FROM user_auth_logs WHERE realm_id = 'secrets';
SELECT mfi_import_admin_events(jsonb_agg(jsonb_build_object('time', 1767225900000 + nr, 'operationType', 'UPDATE', 'resourceType', 'REALM', 'realmId', 'secrets', 'representation', r))) -> 'inserted' AS inserted
  FROM unnest(ARRAY[
    '{"realm": "ops", "smtpServer": {"host": "kept", "password": "xyzzy"}, "clients": [{"clientId": "kept", "secret": "xyzzy", "attributes": {"saml.signing.private.key": "xyzzy", "tokenUrl": "kept"}}]}',
    '{"credentials": [{"type": "password", "value": "xyzzy"}], "registrationAccessToken": "xyzzy", "config": {"bindCredential": ["xyzzy"], "privateKey": ["xyzzy"]}}',
    '{"type": "password", "value": "xyzzy", "temporary": true}', '{"type": "String", "value": "kept"}',
    '{"realm": "ops", "smtpServer": {"password": "xyzzy", "port": 25', '{"credentials": [{"value": "xyzzy"', '{"name": "kept", "pass\u0077ord": "xyzzy', 'not JSON at all', '"a string"', '12', 'null', '']) WITH ORDINALITY AS t (r, nr);
SELECT representation, representation_raw FROM admin_event_logs WHERE realm_id = 'secrets' ORDER BY event_time;
SELECT count(*) AS leaks FROM (SELECT a::text AS row FROM admin_event_logs a UNION ALL SELECT u::text FROM user_auth_logs u) r WHERE row LIKE '%xyzzy%';
SELECT mfi_import_admin_events(jsonb_build_array(jsonb_build_object('time', 1767225950000, 'operationType', 'UPDATE', 'realmId', 'deep', 'representation', repeat('[', 1000) || '{"password": "xyzzy"}' || repeat(']', 1000)),
  jsonb_build_object('time', 1767225950001, 'operationType', 'UPDATE', 'realmId', 'deep', 'representation', '{"as": {"an": "object", "secret": "xyzzy"}}'::jsonb))) -> 'inserted' AS inserted;
SELECT length(representation::text), representation #> '{as}' AS object FROM admin_event_logs WHERE realm_id = 'deep' ORDER BY event_time;

-- A login moves last_login_at forward, never back, and not into the future
INSERT INTO portals (id, name, realm_id, client_id) VALUES (gen_random_uuid(), 'Ops', 'ops', 'web');
INSERT INTO portal_groups (iam_group_id, name, group_path) VALUES ('00000000-0000-0000-0000-0000000000a1', 'g', '/ops/g');
INSERT INTO portal_users (id_iam, username, fname, email, id_group) VALUES ('00000000-0000-0000-0000-00000000000a', 'a', 'A', 'a@example.com', '00000000-0000-0000-0000-0000000000a1');
INSERT INTO mfi_clients (id, name, schema, realm_id, client_id) VALUES ('00000000-0000-0000-0000-0000000000b1', 'Umoja', 'u', 'u', 'u');
INSERT INTO mfi_groups (iam_group_id, id_mfi, name, group_path) VALUES ('00000000-0000-0000-0000-0000000000b2', '00000000-0000-0000-0000-0000000000b1', 'g', '/u/g');
INSERT INTO mfi_users (id_iam, id_mfi, username, fname, email, id_group) VALUES ('00000000-0000-0000-0000-00000000000b', '00000000-0000-0000-0000-0000000000b1', 'b', 'B', 'b@example.com', '00000000-0000-0000-0000-0000000000b2');
CREATE FUNCTION login(ms bigint, id text, type text DEFAULT 'LOGIN') RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('time', ms, 'type', type, 'realmId', 'logins', 'userId', id) $$;
SELECT mfi_import_auth_events(jsonb_build_array(login(1767226000123, '00000000-0000-0000-0000-00000000000A'), login(1767225000000, '00000000-0000-0000-0000-00000000000a'),
  login(1767226000500, '00000000-0000-0000-0000-00000000000a', 'LOGIN_ERROR'), login(1767226000001, '00000000-0000-0000-0000-00000000000b'), login(1767226000002, 'f:ldap:7'), login(1767226000003, NULL))) -> 'logins' AS logins;
SELECT mfi_import_auth_events(jsonb_build_array(login(1767225999999, '00000000-0000-0000-0000-00000000000a'), login(99999999999999, '00000000-0000-0000-0000-00000000000a'))) -> 'logins' AS logins;
SELECT extract(epoch FROM (SELECT last_login_at FROM portal_users)) * 1000 AS portal, extract(epoch FROM (SELECT last_login_at FROM mfi_users)) * 1000 AS mfi;

-- What is no array, and who may call
SELECT mfi_import_auth_events(NULL);
SELECT mfi_import_auth_events('{"error": "unknown_error"}');
SELECT mfi_import_admin_events('"x"');
SELECT mfi_import_auth_events('[]'), mfi_import_admin_events('[]');
SET ROLE regress_mfi_import;
SELECT mfi_import_auth_events('[]');
SELECT mfi_import_admin_events('[]');
RESET ROLE;
GRANT EXECUTE ON FUNCTION mfi_import_auth_events, mfi_import_admin_events TO regress_mfi_import;
SET ROLE regress_mfi_import;
SELECT mfi_import_auth_events('[{"time": 1767226100000, "type": "LOGIN", "realmId": "r"}]') -> 'inserted' AS auth, mfi_import_admin_events('[{"time": 1767226100000, "operationType": "CREATE", "realmId": "r"}]') -> 'inserted' AS admin;
SELECT count(*) FROM user_auth_logs;
RESET ROLE;

\c postgres
DROP DATABASE regression_mfi_import;
DROP ROLE regress_mfi_import;
