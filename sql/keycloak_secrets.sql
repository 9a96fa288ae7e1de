--
-- Event import: no secret is stored, whatever shape it has, and what no database can hold keeps no event out
--
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP DATABASE IF EXISTS regression_mfi_secrets;
CREATE DATABASE regression_mfi_secrets ENCODING 'UTF8' TEMPLATE template0 LOCALE 'C';
\c regression_mfi_secrets
SET client_min_messages = warning;
CREATE EXTENSION mfi CASCADE;
CREATE FUNCTION event(nr bigint, representation jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('id', 'e' || nr, 'time', 1767225600000 + nr, 'operationType', 'UPDATE', 'resourceType', 'CLIENT', 'realmId', 'r', 'representation', representation) $$;

-- As representation (a string, or JSON) and in details; what says kept stays
CREATE TABLE cases (nr integer GENERATED ALWAYS AS IDENTITY, document text);
INSERT INTO cases (document) VALUES
  ('{"client.secret.rotated": "xyzzy", "client.secret.rotated.expiration.time": "kept", "secret.key": "xyzzy", "api.key": "xyzzy", "accessTokenLifespan": 300, "passwordPolicy": "kept"}'),
  ('{"protocolMappers": [{"name": "secret", "value": "xyzzy"}, {"name": "kept", "value": "kept"}], "credentials": {"type": "password", "value": "xyzzy"}}'),
  ('{"config": {"jwks.string": "{\"keys\": [{\"kty\": \"RSA\", \"n\": \"kept\", \"e\": \"kept\", \"d\": \"xyzzy\", \"p\": \"xyzzy\"}]}", "d": "kept"}}'),
  ('{"a": "{\"b\": \"{\\\"clientSecret\\\": \\\"xyzzy\\\", \\\"clientId\\\": \\\"kept\\\"}\"}"}'),
  ('{"connectionUrl": ["ldap://admin:xyzzy@kept.example:389"], "redirectUris": ["https://kept.example/*"], "note": "the password of kept is secret"}'),
  ('{"key": "-----BEGIN PRIVATE KEY-----\nxyzzy\n-----END PRIVATE KEY-----", "header": "Authorization: Bearer xyzzy.xyzzy", "certificate": "kept"}');
SELECT mfi_import_admin_events(jsonb_agg(event(nr, to_jsonb(document)) ORDER BY nr)) -> 'inserted' AS strings FROM cases;
SELECT representation, representation_raw FROM admin_event_logs ORDER BY event_time;
SELECT mfi_import_admin_events(jsonb_agg(event(100 + nr, document::jsonb) ORDER BY nr)) -> 'inserted' AS objects FROM cases;
SELECT count(DISTINCT representation) AS documents FROM admin_event_logs;
SELECT mfi_import_auth_events(jsonb_agg(jsonb_build_object('time', 1767225600000 + nr, 'type', 'UPDATE_CREDENTIAL', 'realmId', 'r', 'error', document, 'details', document::jsonb || jsonb_build_object('inner', document)))) -> 'inserted' AS details FROM cases;
SELECT mfi_import_admin_events(jsonb_agg(event(1000 * nr + n, to_jsonb(left(document, n))))) ->> 'malformed' AS malformed FROM cases, generate_series(1, length(document) - 1, 7) n;
SELECT count(*) AS rows, count(*) FILTER (WHERE row LIKE '%xyzzy%') AS leaks FROM (SELECT a::text AS row FROM admin_event_logs a UNION ALL SELECT u::text FROM user_auth_logs u) r;
SELECT sum(regexp_count(document, 'kept')) AS kept FROM cases;
SELECT sum(regexp_count(representation::text, 'kept')) AS kept FROM admin_event_logs WHERE event_id ~ '^e[0-9]$';
SELECT sum(regexp_count(details::text, 'kept')) AS kept_twice, sum(regexp_count(error, 'kept')) AS kept FROM user_auth_logs;

-- Zeros and halves of surrogate pairs in a representation: it is JSON all the same
SELECT mfi_import_admin_events(jsonb_agg(event(200 + nr, to_jsonb(r)) ORDER BY nr)) -> 'malformed' AS malformed
  FROM unnest(ARRAY['{"a": "b\u0000c", "\u0000": 1}', '{"a": "\ud83d", "b": "\ude00", "c": "\ud83d\ude00", "d": "\\ud83d"}', '{"a": {"b": ["{\"password\": \"xyzzy\\u0000\"}"]}}', '{"secret": "xyzzy\u0000", "n": 1e999999}',
                    '{"name": "secret", "value": "xyzzy\udc00', 'no JSON \u0000 \ud800']) WITH ORDINALITY AS t (r, nr);
SELECT replace(representation::text, U&'\FFFD', '*') AS representation, representation_raw FROM admin_event_logs WHERE event_id ~ '^e20[0-9]$' ORDER BY event_time;

-- Nested beyond all reading: one event, not its neighbours
SELECT mfi_import_admin_events(jsonb_build_array(event(300, to_jsonb(repeat('[', 500000))), event(301, to_jsonb(repeat('[', 500000) || repeat(']', 500000))), event(302, to_jsonb(repeat('{"secret":', 100000) || '"xyzzy"')), event(303, '{"a": 1}'))) -> 'inserted' AS inserted;
SELECT event_id, representation, length(representation_raw) FROM admin_event_logs WHERE event_id ~ '^e30[0-3]$' ORDER BY 1;

-- A page of twenty representations of a megabyte each
SELECT string_agg(format('{"id": %s, "clientId": "client %s", "secret": "xyzzy", "attributes": {"access.token.lifespan": "300", "jwks": "{\"keys\": [{\"kty\": \"oct\", \"k\": \"xyzzy\"}]}"}}', n, n), ',') AS clients
  FROM generate_series(1, 6500) n \gset
SELECT length(:'clients') > 1000000 AS a_megabyte;
SET statement_timeout = '120s';
SELECT mfi_import_admin_events(jsonb_agg(event(400 + n, to_jsonb('{"clients": [' || :'clients' || ']}')))) -> 'inserted' AS inserted FROM generate_series(0, 19) n;
SELECT count(*) AS big, count(*) FILTER (WHERE representation::text LIKE '%xyzzy%') AS leaks, min(jsonb_array_length(representation -> 'clients')) AS clients FROM admin_event_logs WHERE event_id ~ '^e4[0-9][0-9]$';
RESET statement_timeout;

-- An event without id is the same one, with the functions of 1.1 and with these
SELECT mfi_import_admin_events(jsonb_build_array(event(500, to_jsonb('{"secret": "xyzzy"}'::text)) - 'id')) -> 'inserted' AS inserted;
SELECT event_id = uuid_generate_v5(uuid_ns_url(), 'keycloak event ' || (event(500, to_jsonb('{"secret": "xyzzy"}'::text)) - 'id')::text)::text AS as_ever FROM admin_event_logs WHERE event_time = '1970-01-01 00:00Z'::timestamptz + interval '1767225600.5 s';

-- Where the database has no Unicode, such a representation stays text, and keeps no other event out either
\c postgres
DROP DATABASE regression_mfi_secrets;
CREATE DATABASE regression_mfi_secrets ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C';
\c regression_mfi_secrets
SET client_min_messages = warning;
CREATE EXTENSION mfi CASCADE;
SELECT mfi_import_admin_events(jsonb_agg(jsonb_build_object('time', 1767225600000 + nr, 'operationType', 'UPDATE', 'realmId', 'r', 'representation', r))) -> 'inserted' AS inserted
  FROM unnest(ARRAY['{"a": "b\u0000"}', '{"a": "\ud83d\ude00", "secret": "xyzzy"}', '{"a": 1, "secret": "xyzzy"}']) WITH ORDINALITY AS t (r, nr);
SELECT representation, representation_raw FROM admin_event_logs ORDER BY event_time;

\c postgres
DROP DATABASE regression_mfi_secrets;
