CREATE OR REPLACE FUNCTION @extschema@._mfi_events(events jsonb, required text[], texts text[])
RETURNS TABLE (index integer, body jsonb, event_id text, event_time timestamptz, field text, mistake text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET jit = off
SET work_mem = '64MB'
AS $$
BEGIN
  IF jsonb_typeof(events) IS DISTINCT FROM 'array' THEN
    RAISE EXCEPTION 'events must be a JSON array, not %', coalesce(jsonb_typeof(events), 'NULL')
      USING ERRCODE = 'invalid_parameter_value',
        HINT = 'It is what GET /admin/realms/{realm}/events or /admin-events returns.';
  END IF;
  PERFORM @extschema@._mfi_require_partitions();
  RETURN QUERY
  WITH sent AS (
    SELECT e.nr::int - 1 AS index, e.body, w.field, w.mistake
      FROM jsonb_array_elements(events) WITH ORDINALITY AS e (body, nr)
     CROSS JOIN LATERAL (
       SELECT CASE WHEN jsonb_typeof(e.body) <> 'object' THEN ''
                   WHEN NOT coalesce(jsonb_typeof(e.body -> 'time') = 'number'
                                     AND e.body ->> 'time' ~ '^[1-9][0-9]{11,13}$', false) THEN '.time'
                   ELSE coalesce((SELECT '.' || f FROM unnest(required) f
                                  WHERE coalesce(jsonb_typeof(e.body -> f) <> 'string' OR e.body ->> f !~ '\S', true)
                                    LIMIT 1),
                                 (SELECT '.' || f FROM unnest(texts) f
                                  WHERE jsonb_typeof(e.body -> f) NOT IN ('string', 'null') LIMIT 1),
                                 CASE WHEN length(e.body ->> 'id') > 255 THEN '.id'
                                      WHEN jsonb_typeof(e.body -> 'details') NOT IN ('object', 'null') THEN '.details'
                                      WHEN jsonb_typeof(e.body -> 'authDetails') NOT IN ('object', 'null')
                                        THEN '.authDetails' END) END OFFSET 0) AS q (field)
     CROSS JOIN LATERAL (
       SELECT q.field, CASE WHEN q.field = '' THEN 'an event must be an object'
                            WHEN q.field = '.time' THEN format('it must be milliseconds since 1970, not %s',
                                                               coalesce(left((e.body -> 'time')::text, 40), 'missing'))
                            WHEN q.field = '.id' THEN 'it must be a string of at most 255 characters'
                            WHEN q.field IN ('.details', '.authDetails') THEN 'it must be an object'
                            WHEN substr(q.field, 2) = ANY (required) THEN 'it must be a string that is not blank'
                            WHEN q.field IS NOT NULL THEN 'it must be a string' END) AS w (field, mistake)),
  clean AS MATERIALIZED (
    SELECT s.index, s.field, s.mistake,
           -- A representation is redacted where it is stored: an event without id is known by it as it was sent.
           CASE WHEN s.mistake IS NULL THEN
             @extschema@._mfi_redact(s.body - 'representation')
             || CASE WHEN s.body ? 'representation'
                     THEN jsonb_build_object('representation', s.body -> 'representation')
                     ELSE '{}' END
                ELSE s.body END AS body
      FROM sent s)
  SELECT c.index, c.body,
         CASE WHEN c.mistake IS NULL THEN
           coalesce(CASE WHEN c.body ->> 'id' ~ '\S' THEN c.body ->> 'id' END,
                    @extschema:uuid-ossp@.uuid_generate_v5(@extschema:uuid-ossp@.uuid_ns_url(), 'keycloak event '
                                                           || c.body::text)::text) END,
         -- In two parts, each exact: whole seconds, and the milliseconds.
         CASE WHEN c.mistake IS NULL THEN
           timestamptz '1970-01-01 00:00Z' + (c.body ->> 'time')::bigint / 1000 * interval '1 second' + (c.body
             ->> 'time')::bigint % 1000 * interval '1 millisecond' END,
         c.field, c.mistake
    FROM clean c;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_events(jsonb, text[], text[]) IS
  'The events of an array with their index, redacted, each with its id (v5 of its content where Keycloak sent none) '
  'and time, or with what is wrong with it and where. required: fields that must be there; texts: fields that are '
  'strings when they are.';
