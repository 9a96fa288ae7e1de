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
  PERFORM @extschema@._mfi_check_written(ARRAY['@extschema@.user_auth_logs', '@extschema@.portal_users',
                                               '@extschema@.mfi_users'], ARRAY['user_auth_logs',
                                                                               'portal_users', 'mfi_users']);
  WITH event AS MATERIALIZED (
    SELECT * FROM @extschema@._mfi_events(events, ARRAY['type', 'realmId'],
                                          ARRAY['id', 'clientId', 'userId', 'sessionId', 'ipAddress', 'error'])),
  stored AS (
    INSERT INTO @extschema@.user_auth_logs (iam_event_id, iam_user_id, event_type, client_id, realm_id, session_id,
                                            ip_address, ip, error, event_time, details)
    SELECT e.event_id, e.body ->> 'userId', e.body ->> 'type', coalesce(e.body ->> 'clientId', ''),
      e.body ->> 'realmId', e.body ->> 'sessionId',
           e.body ->> 'ipAddress', @extschema@._mfi_inet(e.body ->> 'ipAddress'), e.body ->> 'error', e.event_time,
             nullif(e.body -> 'details', 'null')
      FROM event e WHERE e.mistake IS NULL
    ON CONFLICT (iam_event_id, event_time) WHERE NOT duplicate DO NOTHING
    RETURNING 1),
  login AS MATERIALIZED (
    SELECT CASE WHEN e.body ->> 'userId' ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
      THEN (e.body ->> 'userId')::uuid END AS id, max(e.event_time) AS at
      FROM event e WHERE e.mistake IS NULL AND e.body ->> 'type' = 'LOGIN' AND e.event_time < now() + interval '1 day'
     GROUP BY 1),
  portal_login AS (
    UPDATE @extschema@.portal_users u SET last_login_at = l.at FROM login l
      WHERE u.id_iam = l.id AND (u.last_login_at < l.at OR u.last_login_at IS NULL) RETURNING 1),
  mfi_login AS (
    UPDATE @extschema@.mfi_users u SET last_login_at = l.at FROM login l
      WHERE u.id_iam = l.id AND (u.last_login_at < l.at OR u.last_login_at IS NULL) RETURNING 1)
  SELECT jsonb_build_object(
           'received', count(*), 'inserted', (SELECT count(*) FROM stored), 'known',
             count(*) FILTER (WHERE e.mistake IS NULL) - (SELECT count(*) FROM stored),
           'logins', (SELECT count(*) FROM portal_login) + (SELECT count(*) FROM mfi_login),
             'malformed', count(e.mistake),
           'errors', coalesce(jsonb_agg(jsonb_build_object('index', e.index, 'path_in_input', '$[' || e.index || ']'
                                                           || e.field, 'message', e.mistake) ORDER BY e.index)
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
  'Stores Keycloak''s user events (an array as GET /admin/realms/{realm}/events returns it) in user_auth_logs, each '
  'once, and moves last_login_at forward by LOGIN events that are not of the future. Secrets are redacted; an event '
  'without clientId gets an empty client_id. Returns counts, and each malformed event with its place.';
REVOKE ALL ON FUNCTION @extschema@.mfi_import_auth_events(jsonb) FROM PUBLIC;
