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
  SELECT string_agg(format('$.%s must be %s, not %s', o.key, r.rule, o.value), E'\n' ORDER BY o.key COLLATE "C") INTO wrong
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
     WHERE key NOT IN ('complete', 'dry_run', 'allow_empty', 'restore', 'max_delete_ratio', 'max_delete_count', 'root_group_path');
  END IF;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'invalid options of a group sync'
      USING ERRCODE = 'invalid_parameter_value', DETAIL = wrong,
            HINT = 'Options are complete, dry_run, max_delete_ratio, max_delete_count, allow_empty, restore and root_group_path.';
  END IF;
  RETURN '{"complete": true, "dry_run": false, "max_delete_ratio": 0.5, "allow_empty": false, "restore": true}'::jsonb || options;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_options(jsonb) IS 'The options of a group sync with their defaults; fails on one that is wrong or unknown.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_options(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_options(jsonb) TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_sync_place(nr integer[], field text DEFAULT '') RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT '$[' || array_to_string(nr, '].subGroups[') || ']' || field $$;
COMMENT ON FUNCTION @extschema@._mfi_sync_place(integer[], text) IS 'Where in the input an element is, as a JSON path; nr: its position on each level, from 0.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_place(integer[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_place(integer[], text) TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_sync_error(code text, id uuid, place text, message text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT jsonb_build_object('code', code, 'id', id, 'path_in_input', place, 'message', message) $$;
COMMENT ON FUNCTION @extschema@._mfi_sync_error(text, uuid, text, text) IS 'One entry of the errors or warnings of a group sync.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_error(text, uuid, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_error(text, uuid, text, text) TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_sync_tables() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM @extschema@._mfi_require_partitions();
  CREATE TEMP TABLE _mfi_element (nr integer[], above jsonb, body jsonb, sub_groups_type text);
  CREATE TEMP TABLE _mfi_snapshot (nr integer[], id uuid, parent uuid, name text, path text, description text, attributes jsonb, realm_roles jsonb,
    client_roles jsonb, sub_group_count integer, depth integer, is_wanted boolean);
  CREATE TEMP TABLE _mfi_present (id uuid, owner uuid, belongs_to uuid, name text, description text, path text, parent uuid, depth integer, attributes jsonb,
    realm_roles jsonb, client_roles jsonb, deleted_at timestamptz);
  CREATE TEMP TABLE _mfi_change (id uuid, nr integer[], class text);
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_tables() IS
  'Makes the temporary tables of a group sync, empty: _mfi_element, the groups of the input; _mfi_snapshot, one row for each id; _mfi_present, what is stored; '
  '_mfi_change, what happens to each. What fills them runs in a security-restricted operation, in which none can be made.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_tables() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_tables() TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_sync_elements(groups jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  WITH RECURSIVE element (nr, above, body) AS (
    SELECT ARRAY[e.nr::int - 1], NULL::jsonb, e.body FROM jsonb_array_elements(groups) WITH ORDINALITY AS e (body, nr)
    UNION ALL
    SELECT a.nr || (e.nr::int - 1), a.body -> 'id', e.body
      FROM element a
     CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(a.body -> 'subGroups') WHEN 'array' THEN a.body -> 'subGroups' ELSE '[]' END)
                        WITH ORDINALITY AS e (body, nr))
  INSERT INTO pg_temp._mfi_element
  SELECT nr, above, CASE jsonb_typeof(body) WHEN 'object' THEN body - '{subGroups,access}'::text[] ELSE body END AS body,
         jsonb_typeof(body -> 'subGroups') AS sub_groups_type
    FROM element;
  RETURN (
    WITH checked AS (
      SELECT e.nr, e.body -> 'id' AS id, c.code, c.field, c.message
        FROM pg_temp._mfi_element e
       CROSS JOIN LATERAL (VALUES
         (jsonb_typeof(body) <> 'object', 'not_an_object', '', 'a group must be an object'),
         (coalesce(body ->> 'id', '') !~ '\S', 'id_missing', '', 'the group has no id'),
         (body ->> 'id' ~ '\S' AND (jsonb_typeof(body -> 'id') <> 'string' OR body ->> 'id' !~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'),
          'id_invalid', '.id', 'the id is not a UUID'),
         (coalesce(body ->> 'name', '') !~ '\S', 'name_missing', '.name', 'the group has no name'),
         (jsonb_typeof(body -> 'name') NOT IN ('string', 'null'), 'field_invalid', '.name', 'it must be a string'),
         (jsonb_typeof(body -> 'parentId') <> 'null' AND (jsonb_typeof(body -> 'parentId') <> 'string'
            OR body ->> 'parentId' !~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'),
          'field_invalid', '.parentId', 'it must be a UUID'),
         (jsonb_typeof(body -> 'path') NOT IN ('string', 'null') OR body ->> 'path' = '', 'field_invalid', '.path', 'it must be a string that is not empty'),
         (jsonb_typeof(body -> 'description') NOT IN ('string', 'null'), 'field_invalid', '.description', 'it must be a string'),
         (jsonb_typeof(body -> 'attributes') NOT IN ('object', 'null'), 'field_invalid', '.attributes', 'it must be an object'),
         (jsonb_typeof(body -> 'realmRoles') NOT IN ('array', 'null'), 'field_invalid', '.realmRoles', 'it must be an array'),
         (jsonb_typeof(body -> 'clientRoles') NOT IN ('object', 'null'), 'field_invalid', '.clientRoles', 'it must be an object'),
         (jsonb_typeof(body -> 'subGroupCount') NOT IN ('number', 'null') OR body ->> 'subGroupCount' !~ '^[0-9]{1,9}$',
          'field_invalid', '.subGroupCount', 'it must be a whole number'),
         (sub_groups_type NOT IN ('array', 'null'), 'field_invalid', '.subGroups', 'it must be an array')) AS c (is_wrong, code, field, message)
       WHERE c.is_wrong AND (c.code = 'not_an_object' OR jsonb_typeof(e.body) = 'object'))
    SELECT jsonb_agg(@extschema@._mfi_sync_error(code, NULL::uuid, @extschema@._mfi_sync_place(nr, field), message) || jsonb_build_object('id', id)
                     ORDER BY nr, field)
      FROM checked);
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_elements(jsonb) IS
  'Fills pg_temp._mfi_element: every group of the input, nested ones too, with its place and the id of the group around it. '
  'Returns the errors of single groups, or NULL.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_elements(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_elements(jsonb) TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_sync_snapshot() RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  errors jsonb;
BEGIN
  INSERT INTO pg_temp._mfi_snapshot
  SELECT DISTINCT ON ((body ->> 'id')::uuid)
         nr, (body ->> 'id')::uuid AS id, coalesce(body ->> 'parentId', above #>> '{}')::uuid AS parent, body ->> 'name' AS name,
         body ->> 'path' AS path, body ->> 'description' AS description, nullif(body -> 'attributes', 'null') AS attributes,
         nullif(body -> 'realmRoles', 'null') AS realm_roles, nullif(body -> 'clientRoles', 'null') AS client_roles,
         (body ->> 'subGroupCount')::int AS sub_group_count, NULL::int AS depth, true AS is_wanted
    FROM pg_temp._mfi_element
   ORDER BY (body ->> 'id')::uuid, nr;
  ALTER TABLE pg_temp._mfi_snapshot ADD PRIMARY KEY (id);
  ANALYZE pg_temp._mfi_element (nr);
  ANALYZE pg_temp._mfi_snapshot (nr);
  WITH again AS MATERIALIZED (
    SELECT e.*, (e.body ->> 'id')::uuid AS id FROM pg_temp._mfi_element e WHERE NOT EXISTS (SELECT FROM pg_temp._mfi_snapshot s WHERE s.nr = e.nr))
  SELECT jsonb_agg(e.error ORDER BY e.nr) INTO errors
    FROM (SELECT o.nr, @extschema@._mfi_sync_error('two_parents', s.id, @extschema@._mfi_sync_place(o.nr),
                   format('the parent of the group is %s here and %s at %s', coalesce(o.body ->> 'parentId', o.above #>> '{}', 'none'),
                          coalesce(s.parent::text, 'none'), @extschema@._mfi_sync_place(s.nr)))
            FROM again o JOIN pg_temp._mfi_snapshot s ON s.id = o.id
           WHERE coalesce(o.body ->> 'parentId', o.above #>> '{}')::uuid IS DISTINCT FROM s.parent
          UNION ALL
          SELECT o.nr, @extschema@._mfi_sync_error('two_parents', (o.body ->> 'id')::uuid, @extschema@._mfi_sync_place(o.nr, '.parentId'),
                   format('the group stands under %s but says its parent is %s', o.above #>> '{}', o.body ->> 'parentId'))
            FROM pg_temp._mfi_element o
           WHERE (o.body ->> 'parentId')::uuid <> (o.above #>> '{}')::uuid
          UNION ALL
          SELECT o.nr, @extschema@._mfi_sync_error('id_conflict', s.id, @extschema@._mfi_sync_place(o.nr),
                   format('the id is also at %s, with other content', @extschema@._mfi_sync_place(s.nr)))
            FROM again o
            JOIN pg_temp._mfi_snapshot s ON s.id = o.id
            JOIN pg_temp._mfi_element f ON f.nr = s.nr
           WHERE o.body - '{id,parentId}'::text[] <> f.body - '{id,parentId}'::text[]) AS e (nr, error);
  RETURN errors;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_snapshot() IS
  'Fills pg_temp._mfi_snapshot of pg_temp._mfi_element: one row for each id. Returns the errors of ids that are there twice, or NULL.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_snapshot() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_snapshot() TO mfi_sync;
