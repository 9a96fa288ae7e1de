CREATE FUNCTION @extschema@._mfi_events(events jsonb, required text[], texts text[])
RETURNS TABLE (index integer, body jsonb, event_id text, event_time timestamptz, field text, mistake text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET jit = off
SET work_mem = '64MB'
AS $$
BEGIN
  IF jsonb_typeof(events) IS DISTINCT FROM 'array' THEN
    RAISE EXCEPTION 'events must be a JSON array, not %', coalesce(jsonb_typeof(events), 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'It is what GET /admin/realms/{realm}/events or /admin-events returns.';
  END IF;
  PERFORM @extschema@._mfi_require_partitions();
  RETURN QUERY
  WITH sent AS (
    SELECT e.nr::int - 1 AS index, e.body, w.field, w.mistake
      FROM jsonb_array_elements(events) WITH ORDINALITY AS e (body, nr)
     CROSS JOIN LATERAL (
       SELECT CASE WHEN jsonb_typeof(e.body) <> 'object' THEN ''
                   WHEN NOT coalesce(jsonb_typeof(e.body -> 'time') = 'number' AND e.body ->> 'time' ~ '^[1-9][0-9]{11,13}$', false) THEN '.time'
                   ELSE coalesce((SELECT '.' || f FROM unnest(required) f WHERE coalesce(jsonb_typeof(e.body -> f) <> 'string' OR e.body ->> f !~ '\S', true) LIMIT 1),
                                 (SELECT '.' || f FROM unnest(texts) f WHERE jsonb_typeof(e.body -> f) NOT IN ('string', 'null') LIMIT 1),
                                 CASE WHEN length(e.body ->> 'id') > 255 THEN '.id'
                                      WHEN jsonb_typeof(e.body -> 'details') NOT IN ('object', 'null') THEN '.details'
                                      WHEN jsonb_typeof(e.body -> 'authDetails') NOT IN ('object', 'null') THEN '.authDetails' END) END OFFSET 0) AS q (field)
     CROSS JOIN LATERAL (
       SELECT q.field, CASE WHEN q.field = '' THEN 'an event must be an object'
                            WHEN q.field = '.time' THEN format('it must be milliseconds since 1970, not %s', coalesce(left((e.body -> 'time')::text, 40), 'missing'))
                            WHEN q.field = '.id' THEN 'it must be a string of at most 255 characters'
                            WHEN q.field IN ('.details', '.authDetails') THEN 'it must be an object'
                            WHEN substr(q.field, 2) = ANY (required) THEN 'it must be a string that is not blank'
                            WHEN q.field IS NOT NULL THEN 'it must be a string' END) AS w (field, mistake)),
  clean AS MATERIALIZED (
    SELECT s.index, s.field, s.mistake,
           CASE WHEN s.mistake IS NULL AND (s.body - 'representation')::text
                  ~* '(password|secret|token|credentials?|private[._-]?key|secretdata|credentialdata|code)": ' THEN @extschema@._mfi_redact(s.body) ELSE s.body END AS body
      FROM sent s)
  SELECT c.index, c.body,
         CASE WHEN c.mistake IS NULL THEN
           coalesce(CASE WHEN c.body ->> 'id' ~ '\S' THEN c.body ->> 'id' END,
                    @extschema:uuid-ossp@.uuid_generate_v5(@extschema:uuid-ossp@.uuid_ns_url(), 'keycloak event ' || c.body::text)::text) END,
         -- In two parts, each exact: whole seconds, and the milliseconds.
         CASE WHEN c.mistake IS NULL THEN
           timestamptz '1970-01-01 00:00Z' + (c.body ->> 'time')::bigint / 1000 * interval '1 second' + (c.body ->> 'time')::bigint % 1000 * interval '1 millisecond' END,
         c.field, c.mistake
    FROM clean c;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_events(jsonb, text[], text[]) IS
  'The events of an array with their index, redacted, each with its id (v5 of its content where Keycloak sent none) and time, or with what is wrong with it and where. '
  'required: fields that must be there; texts: fields that are strings when they are.';
REVOKE ALL ON FUNCTION @extschema@._mfi_events(jsonb, text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_events(jsonb, text[], text[]) TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_inet(address text) RETURNS inet
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT CASE WHEN address !~ '/' AND pg_input_is_valid(address, 'inet') THEN address::inet END $$;
COMMENT ON FUNCTION @extschema@._mfi_inet(text) IS 'A text as an address; NULL when it is none, such as unknown or a list.';
REVOKE ALL ON FUNCTION @extschema@._mfi_inet(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_inet(text) TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_import_auth_events(events jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
  report jsonb;
BEGIN
  -- One at a time: a second one waits, then finds nothing to do.
  PERFORM @extschema@._mfi_one_at_a_time(2, 'mfi_import_auth_events'::text);
  PERFORM @extschema@._mfi_check_written(ARRAY['@extschema@.user_auth_logs', '@extschema@.portal_users', '@extschema@.mfi_users'], ARRAY['user_auth_logs', 'portal_users', 'mfi_users']);
  WITH event AS MATERIALIZED (
    SELECT * FROM @extschema@._mfi_events(events, ARRAY['type', 'realmId'], ARRAY['id', 'clientId', 'userId', 'sessionId', 'ipAddress', 'error'])),
  stored AS (
    INSERT INTO @extschema@.user_auth_logs (iam_event_id, iam_user_id, event_type, client_id, realm_id, session_id, ip_address, ip, error, event_time, details)
    SELECT e.event_id, e.body ->> 'userId', e.body ->> 'type', coalesce(e.body ->> 'clientId', ''), e.body ->> 'realmId', e.body ->> 'sessionId',
           e.body ->> 'ipAddress', @extschema@._mfi_inet(e.body ->> 'ipAddress'), e.body ->> 'error', e.event_time, nullif(e.body -> 'details', 'null')
      FROM event e WHERE e.mistake IS NULL
    ON CONFLICT (iam_event_id, event_time) WHERE NOT duplicate DO NOTHING
    RETURNING 1),
  login AS MATERIALIZED (
    SELECT CASE WHEN e.body ->> 'userId' ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN (e.body ->> 'userId')::uuid END AS id, max(e.event_time) AS at
      FROM event e WHERE e.mistake IS NULL AND e.body ->> 'type' = 'LOGIN' AND e.event_time < now() + interval '1 day'
     GROUP BY 1),
  portal_login AS (
    UPDATE @extschema@.portal_users u SET last_login_at = l.at FROM login l WHERE u.id_iam = l.id AND (u.last_login_at < l.at OR u.last_login_at IS NULL) RETURNING 1),
  mfi_login AS (
    UPDATE @extschema@.mfi_users u SET last_login_at = l.at FROM login l WHERE u.id_iam = l.id AND (u.last_login_at < l.at OR u.last_login_at IS NULL) RETURNING 1)
  SELECT jsonb_build_object(
           'received', count(*), 'inserted', (SELECT count(*) FROM stored), 'known', count(*) FILTER (WHERE e.mistake IS NULL) - (SELECT count(*) FROM stored),
           'logins', (SELECT count(*) FROM portal_login) + (SELECT count(*) FROM mfi_login), 'malformed', count(e.mistake),
           'errors', coalesce(jsonb_agg(jsonb_build_object('index', e.index, 'path_in_input', '$[' || e.index || ']' || e.field, 'message', e.mistake) ORDER BY e.index)
                                FILTER (WHERE e.mistake IS NOT NULL), '[]')) INTO report
    FROM event e;
  RETURN report;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_import_auth_events(jsonb) IS 'Behind mfi_import_auth_events().';
REVOKE ALL ON FUNCTION @extschema@._mfi_import_auth_events(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_import_auth_events(jsonb) TO mfi_sync;

CREATE FUNCTION @extschema@.mfi_import_auth_events(events jsonb) RETURNS jsonb
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_event_import';
COMMENT ON FUNCTION @extschema@.mfi_import_auth_events(jsonb) IS
  'Stores Keycloak''s user events (an array as GET /admin/realms/{realm}/events returns it) in user_auth_logs, each once, and moves last_login_at forward by '
  'LOGIN events that are not of the future. Secrets are redacted; an event without clientId gets an empty client_id. Returns counts, and each malformed event with its place.';
REVOKE ALL ON FUNCTION @extschema@.mfi_import_auth_events(jsonb) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_import_admin_events(events jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
  report jsonb;
BEGIN
  -- One at a time: a second one waits, then finds nothing to do.
  PERFORM @extschema@._mfi_one_at_a_time(2, 'mfi_import_admin_events'::text);
  PERFORM @extschema@._mfi_check_written(ARRAY['@extschema@.admin_event_logs'], ARRAY['admin_event_logs']);
  WITH event AS MATERIALIZED (
    SELECT e.*, r.is_json, r.document
      FROM @extschema@._mfi_events(events, ARRAY['operationType', 'realmId'], ARRAY['id', 'resourceType', 'resourcePath', 'error']) e
     CROSS JOIN LATERAL (
       SELECT CASE WHEN e.mistake IS NOT NULL THEN false ELSE jsonb_typeof(e.body -> 'representation') <> 'string' OR pg_input_is_valid(e.body ->> 'representation', 'jsonb') END OFFSET 0) AS j (is_json)
     CROSS JOIN LATERAL (
       SELECT j.is_json, CASE WHEN j.is_json THEN nullif(CASE jsonb_typeof(e.body -> 'representation') WHEN 'string' THEN (e.body ->> 'representation')::jsonb
                                                         ELSE e.body -> 'representation' END, 'null') END OFFSET 0) AS r (is_json, document)),
  stored AS (
    INSERT INTO @extschema@.admin_event_logs (event_id, realm_id, auth_details, operation_type, resource_type, resource_path, representation, representation_raw, details,
                                              event_time, auth_realm_id, auth_client_uuid, auth_user_id, ip_address, ip, error)
    SELECT e.event_id, e.body ->> 'realmId', nullif(e.body -> 'authDetails', 'null'), e.body ->> 'operationType', e.body ->> 'resourceType', e.body ->> 'resourcePath',
           @extschema@._mfi_redact(e.document), CASE WHEN NOT e.is_json THEN @extschema@._mfi_redact_text(e.body ->> 'representation') END, nullif(e.body -> 'details', 'null'),
           e.event_time, e.body #>> '{authDetails,realmId}', e.body #>> '{authDetails,clientId}', e.body #>> '{authDetails,userId}',
           e.body #>> '{authDetails,ipAddress}', @extschema@._mfi_inet(e.body #>> '{authDetails,ipAddress}'), e.body ->> 'error'
      FROM event e WHERE e.mistake IS NULL
    ON CONFLICT (event_id, event_time) WHERE NOT duplicate DO NOTHING
    RETURNING 1)
  SELECT jsonb_build_object(
           'received', count(*), 'inserted', (SELECT count(*) FROM stored), 'known', count(*) FILTER (WHERE e.mistake IS NULL) - (SELECT count(*) FROM stored),
           'malformed', count(e.mistake),
           'errors', coalesce(jsonb_agg(jsonb_build_object('index', e.index, 'path_in_input', '$[' || e.index || ']' || e.field, 'message', e.mistake) ORDER BY e.index)
                                FILTER (WHERE e.mistake IS NOT NULL), '[]')) INTO report
    FROM event e;
  RETURN report;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_import_admin_events(jsonb) IS 'Behind mfi_import_admin_events().';
REVOKE ALL ON FUNCTION @extschema@._mfi_import_admin_events(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_import_admin_events(jsonb) TO mfi_sync;

CREATE FUNCTION @extschema@.mfi_import_admin_events(events jsonb) RETURNS jsonb
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_event_import';
COMMENT ON FUNCTION @extschema@.mfi_import_admin_events(jsonb) IS
  'Stores Keycloak''s admin events (an array as GET /admin/realms/{realm}/admin-events returns it) in admin_event_logs, each once. A representation that is not JSON goes to '
  'representation_raw. Secrets are redacted. Returns counts, and each malformed event with its place.';
REVOKE ALL ON FUNCTION @extschema@.mfi_import_admin_events(jsonb) FROM PUBLIC;
