-- Keycloak: the root of a part of the groups may be named by names, for which no slash counts.

CREATE OR REPLACE FUNCTION @extschema@._mfi_sync_options(options jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wrong text;
BEGIN
  IF jsonb_typeof(options) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION 'options must be a JSON object, not %', coalesce(jsonb_typeof(options), 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'For example {"dry_run": true}.';
  END IF;
  SELECT string_agg(format('$.%s must be %s, not %s', o.key, r.rule, o.value), E'\n' ORDER BY o.key COLLATE "C")
    INTO wrong
    FROM jsonb_each(options) o
    LEFT JOIN (VALUES ('complete', 'true or false'), ('dry_run', 'true or false'), ('allow_empty', 'true or false'),
                      ('restore', 'true or false'), ('max_delete_ratio', 'a number from 0 to 1'),
                      ('max_delete_count', 'a whole number from 0, or null'),
                      ('root_group_path', 'a path that begins with a slash, the names from the top in an array, '
                                          'or null')) AS r (key, rule) USING (key)
   WHERE NOT coalesce(CASE o.key
           WHEN 'max_delete_ratio' THEN o.value @@ '$ >= 0 && $ <= 1'
           WHEN 'max_delete_count' THEN o.value = 'null' OR o.value @@ '$ >= 0 && $ == $.floor()'
           WHEN 'root_group_path' THEN o.value = 'null' OR jsonb_typeof(o.value) = 'string' AND o.value #>> '{}' ~ '^/'
             OR jsonb_typeof(o.value) = 'array' AND o.value <> '[]' AND NOT o.value @? '$[*] ? (@.type() != "string")'
           ELSE r.key IS NULL OR jsonb_typeof(o.value) = 'boolean' END, false);
  IF wrong IS NULL THEN
    SELECT string_agg(format('$.%s is no option', key), E'\n' ORDER BY key COLLATE "C") INTO wrong
      FROM jsonb_object_keys(options) AS key
     WHERE key NOT IN ('complete', 'dry_run', 'allow_empty', 'restore', 'max_delete_ratio',
                       'max_delete_count', 'root_group_path');
  END IF;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'invalid options of a group sync'
      USING ERRCODE = 'invalid_parameter_value', DETAIL = wrong,
            HINT = 'Options are complete, dry_run, max_delete_ratio, max_delete_count, allow_empty, restore and '
                   'root_group_path.';
  END IF;
  RETURN '{"complete": true, "dry_run": false, "max_delete_ratio": 0.5, "allow_empty": false, "restore": true}'::jsonb
    || options;
END
$$;
