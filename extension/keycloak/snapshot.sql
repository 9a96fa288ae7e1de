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
     CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(a.body -> 'subGroups') WHEN 'array'
                                             THEN a.body -> 'subGroups' ELSE '[]' END)
                        WITH ORDINALITY AS e (body, nr))
  INSERT INTO pg_temp._mfi_element
  SELECT nr, above, CASE jsonb_typeof(body) WHEN 'object'
    THEN body - '{subGroups,access}'::text[] ELSE body END AS body,
         jsonb_typeof(body -> 'subGroups') AS sub_groups_type
    FROM element;
  RETURN (
    WITH checked AS (
      SELECT e.nr, e.body -> 'id' AS id, c.code, c.field, c.message
        FROM pg_temp._mfi_element e
       CROSS JOIN LATERAL (VALUES
         (jsonb_typeof(body) <> 'object', 'not_an_object', '', 'a group must be an object'),
         (coalesce(body ->> 'id', '') !~ '\S', 'id_missing', '', 'the group has no id'),
         (body ->> 'id' ~ '\S' AND (jsonb_typeof(body -> 'id') <> 'string'
                                    OR body ->> 'id' !~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'),
          'id_invalid', '.id', 'the id is not a UUID'),
         (coalesce(body ->> 'name', '') !~ '\S', 'name_missing', '.name', 'the group has no name'),
         (jsonb_typeof(body -> 'name') NOT IN ('string', 'null'), 'field_invalid', '.name', 'it must be a string'),
         (jsonb_typeof(body -> 'parentId') <> 'null' AND (jsonb_typeof(body -> 'parentId') <> 'string'
            OR body ->> 'parentId' !~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'),
          'field_invalid', '.parentId', 'it must be a UUID'),
         (jsonb_typeof(body -> 'path') NOT IN ('string', 'null')
          OR body ->> 'path' = '', 'field_invalid', '.path', 'it must be a string that is not empty'),
         (jsonb_typeof(body -> 'description') NOT IN ('string', 'null'), 'field_invalid', '.description',
          'it must be a string'),
         (jsonb_typeof(body -> 'attributes') NOT IN ('object', 'null'), 'field_invalid', '.attributes',
          'it must be an object'),
         (jsonb_typeof(body -> 'realmRoles') NOT IN ('array', 'null'), 'field_invalid', '.realmRoles',
          'it must be an array'),
         (jsonb_typeof(body -> 'clientRoles') NOT IN ('object', 'null'), 'field_invalid', '.clientRoles',
          'it must be an object'),
         (jsonb_typeof(body -> 'subGroupCount') NOT IN ('number', 'null') OR body ->> 'subGroupCount' !~ '^[0-9]{1,9}$',
          'field_invalid', '.subGroupCount', 'it must be a whole number'),
         (sub_groups_type NOT IN ('array', 'null'), 'field_invalid', '.subGroups',
          'it must be an array')) AS c (is_wrong, code, field, message)
       WHERE c.is_wrong AND (c.code = 'not_an_object' OR jsonb_typeof(e.body) = 'object'))
    SELECT jsonb_agg(@extschema@._mfi_sync_error(code, NULL::uuid, @extschema@._mfi_sync_place(nr, field), message)
                     || jsonb_build_object('id', id)
                     ORDER BY nr, field)
      FROM checked);
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_elements(jsonb) IS
  'Fills pg_temp._mfi_element: every group of the input, nested ones too, with its place and the id of the group '
  'around it. Returns the errors of single groups, or NULL.';
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
         nr, (body ->> 'id')::uuid AS id, coalesce(body ->> 'parentId', above #>> '{}')::uuid AS parent,
           body ->> 'name' AS name,
         body ->> 'path' AS path, body ->> 'description' AS description,
           nullif(body -> 'attributes', 'null') AS attributes,
         nullif(body -> 'realmRoles', 'null') AS realm_roles, nullif(body -> 'clientRoles', 'null') AS client_roles,
         (body ->> 'subGroupCount')::int AS sub_group_count, NULL::int AS depth, true AS is_wanted
    FROM pg_temp._mfi_element
   ORDER BY (body ->> 'id')::uuid, nr;
  ALTER TABLE pg_temp._mfi_snapshot ADD PRIMARY KEY (id);
  ANALYZE pg_temp._mfi_element (nr);
  ANALYZE pg_temp._mfi_snapshot (nr);
  WITH again AS MATERIALIZED (
    SELECT e.*, (e.body ->> 'id')::uuid AS id FROM pg_temp._mfi_element e
      WHERE NOT EXISTS (SELECT FROM pg_temp._mfi_snapshot s WHERE s.nr = e.nr))
  SELECT jsonb_agg(e.error ORDER BY e.nr) INTO errors
    FROM (SELECT o.nr, @extschema@._mfi_sync_error('two_parents', s.id, @extschema@._mfi_sync_place(o.nr),
                   format('the parent of the group is %s here and %s at %s',
                          coalesce(o.body ->> 'parentId', o.above #>> '{}', 'none'),
                          coalesce(s.parent::text, 'none'), @extschema@._mfi_sync_place(s.nr)))
            FROM again o JOIN pg_temp._mfi_snapshot s ON s.id = o.id
           WHERE coalesce(o.body ->> 'parentId', o.above #>> '{}')::uuid IS DISTINCT FROM s.parent
          UNION ALL
          SELECT o.nr, @extschema@._mfi_sync_error('two_parents', (o.body ->> 'id')::uuid,
                                                   @extschema@._mfi_sync_place(o.nr, '.parentId'),
                   format('the group stands under %s but says its parent is %s', o.above #>> '{}',
                          o.body ->> 'parentId'))
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
  'Fills pg_temp._mfi_snapshot of pg_temp._mfi_element: one row for each id. Returns the errors of ids that are there '
  'twice, or NULL.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_snapshot() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_snapshot() TO mfi_sync;
