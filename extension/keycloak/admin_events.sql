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
      FROM @extschema@._mfi_events(events, ARRAY['operationType', 'realmId'],
                                   ARRAY['id', 'resourceType', 'resourcePath', 'error']) e
     CROSS JOIN LATERAL (
       SELECT CASE WHEN e.mistake IS NOT NULL THEN false ELSE jsonb_typeof(e.body -> 'representation') <> 'string'
         OR pg_input_is_valid(e.body ->> 'representation', 'jsonb') END OFFSET 0) AS j (is_json)
     CROSS JOIN LATERAL (
       SELECT j.is_json, CASE WHEN j.is_json
         THEN nullif(CASE jsonb_typeof(e.body -> 'representation') WHEN 'string'
                     THEN (e.body ->> 'representation')::jsonb
                                                         ELSE e.body -> 'representation' END,
                                                           'null') END OFFSET 0) AS r (is_json, document)),
  stored AS (
    INSERT INTO @extschema@.admin_event_logs (event_id, realm_id, auth_details, operation_type, resource_type,
                                              resource_path, representation, representation_raw, details,
                                              event_time, auth_realm_id, auth_client_uuid,
                                                auth_user_id, ip_address, ip, error)
    SELECT e.event_id, e.body ->> 'realmId', nullif(e.body -> 'authDetails', 'null'), e.body ->> 'operationType',
      e.body ->> 'resourceType', e.body ->> 'resourcePath',
           @extschema@._mfi_redact(e.document), CASE WHEN NOT e.is_json
             THEN @extschema@._mfi_redact_text(e.body ->> 'representation') END, nullif(e.body -> 'details', 'null'),
           e.event_time, e.body #>> '{authDetails,realmId}', e.body #>> '{authDetails,clientId}',
             e.body #>> '{authDetails,userId}',
           e.body #>> '{authDetails,ipAddress}',
             @extschema@._mfi_inet(e.body #>> '{authDetails,ipAddress}'), e.body ->> 'error'
      FROM event e WHERE e.mistake IS NULL
    ON CONFLICT (event_id, event_time) WHERE NOT duplicate DO NOTHING
    RETURNING 1)
  SELECT jsonb_build_object(
           'received', count(*), 'inserted', (SELECT count(*) FROM stored), 'known',
             count(*) FILTER (WHERE e.mistake IS NULL) - (SELECT count(*) FROM stored),
           'malformed', count(e.mistake),
           'errors', coalesce(jsonb_agg(jsonb_build_object('index', e.index, 'path_in_input', '$[' || e.index || ']'
                                                           || e.field, 'message', e.mistake) ORDER BY e.index)
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
  'Stores Keycloak''s admin events (an array as GET /admin/realms/{realm}/admin-events returns it) in '
  'admin_event_logs, each once. A representation that is not JSON goes to representation_raw. Secrets are redacted. '
  'Returns counts, and each malformed event with its place.';
REVOKE ALL ON FUNCTION @extschema@.mfi_import_admin_events(jsonb) FROM PUBLIC;
