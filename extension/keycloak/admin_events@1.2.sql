-- A zero or half of a surrogate pair in a representation is no reason to keep it as mere text.

CREATE OR REPLACE FUNCTION @extschema@._mfi_import_admin_events(events jsonb) RETURNS jsonb
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
       SELECT CASE WHEN e.mistake IS NULL AND jsonb_typeof(e.body -> 'representation') = 'string'
         THEN @extschema@._mfi_readable_json(e.body ->> 'representation') END OFFSET 0) AS t (readable)
     CROSS JOIN LATERAL (
       SELECT CASE WHEN e.mistake IS NOT NULL THEN NULL
                   WHEN jsonb_typeof(e.body -> 'representation') <> 'string' THEN e.body -> 'representation'
                   WHEN pg_input_is_valid(t.readable, 'jsonb') THEN t.readable::jsonb END OFFSET 0) AS j (document)
     CROSS JOIN LATERAL (
       SELECT e.mistake IS NULL AND (j.document IS NOT NULL OR e.body -> 'representation' IS NULL),
              nullif(j.document, 'null') OFFSET 0) AS r (is_json, document)),
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
