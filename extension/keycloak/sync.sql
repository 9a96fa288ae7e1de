-- Keycloak: group sync
--
-- One call takes one snapshot of a realm's groups for one portal or MFI. It is read into temporary tables, checked as a
-- whole, compared with what is there by Keycloak's id alone, and written in one transaction or not at all.

CREATE FUNCTION @extschema@._mfi_sync_options(options jsonb) RETURNS jsonb
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
                      ('root_group_path', 'a path that begins with a slash, or null')) AS r (key, rule) USING (key)
   WHERE NOT coalesce(CASE o.key
           WHEN 'max_delete_ratio' THEN o.value @@ '$ >= 0 && $ <= 1'
           WHEN 'max_delete_count' THEN o.value = 'null' OR o.value @@ '$ >= 0 && $ == $.floor()'
           WHEN 'root_group_path' THEN o.value = 'null' OR o.value @@ '$ starts with "/"'
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
COMMENT ON FUNCTION @extschema@._mfi_sync_options(jsonb) IS
  'The options of a group sync with their defaults; fails on one that is wrong or unknown.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_options(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_options(jsonb) TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_sync_place(nr integer[], field text DEFAULT '') RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT '$[' || array_to_string(nr, '].subGroups[') || ']' || field $$;
COMMENT ON FUNCTION @extschema@._mfi_sync_place(integer[], text) IS
  'Where in the input an element is, as a JSON path; nr: its position on each level, from 0.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_place(integer[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_place(integer[], text) TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_sync_error(code text, id uuid, place text, message text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT jsonb_build_object('code', code, 'id', id, 'path_in_input', place, 'message', message) $$;
COMMENT ON FUNCTION @extschema@._mfi_sync_error(text, uuid, text, text) IS
  'One entry of the errors or warnings of a group sync.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_error(text, uuid, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_error(text, uuid, text, text) TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_sync_tables() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM @extschema@._mfi_require_partitions();
  CREATE TEMP TABLE _mfi_element (nr integer[], above jsonb, body jsonb, sub_groups_type text);
  CREATE TEMP TABLE _mfi_snapshot (nr integer[], id uuid, parent uuid, name text, path text, description text,
                                   attributes jsonb, realm_roles jsonb,
    client_roles jsonb, sub_group_count integer, depth integer, is_wanted boolean);
  CREATE TEMP TABLE _mfi_present (id uuid, owner uuid, belongs_to uuid, name text, description text, path text,
                                  parent uuid, depth integer, attributes jsonb,
    realm_roles jsonb, client_roles jsonb, deleted_at timestamptz);
  CREATE TEMP TABLE _mfi_change (id uuid, nr integer[], class text);
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_tables() IS
  'Makes the temporary tables of a group sync, empty: _mfi_element, the groups of the input; _mfi_snapshot, one row '
  'for each id; _mfi_present, what is stored; _mfi_change, what happens to each. What fills them runs in a '
  'security-restricted operation, in which none can be made.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_tables() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_tables() TO mfi_sync;
