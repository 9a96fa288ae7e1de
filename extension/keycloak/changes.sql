CREATE FUNCTION @extschema@._mfi_sync_changes(scope uuid, complete boolean) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  ANALYZE pg_temp._mfi_present (id);
  INSERT INTO pg_temp._mfi_change
  SELECT s.id, s.nr,
         CASE WHEN p.id IS NULL THEN 'created'
              WHEN p.deleted_at IS NOT NULL THEN 'restored'
              WHEN s.name <> p.name THEN 'renamed'
              WHEN s.parent IS DISTINCT FROM p.parent THEN 'moved'
              WHEN (s.description, coalesce(s.attributes, p.attributes), coalesce(s.realm_roles, p.realm_roles),
                    coalesce(s.client_roles, p.client_roles), scope)
                   IS DISTINCT FROM (p.description, p.attributes, p.realm_roles, p.client_roles, p.owner) THEN 'updated'
              WHEN (s.path, s.depth) IS DISTINCT FROM (p.path, p.depth) THEN 'path_changed'
              ELSE 'unchanged' END AS class
    FROM pg_temp._mfi_snapshot s LEFT JOIN pg_temp._mfi_present p ON p.id = s.id
   WHERE s.is_wanted
  UNION ALL
  SELECT p.id, NULL, 'soft_deleted'
    FROM pg_temp._mfi_present p
   WHERE complete AND p.owner = scope AND p.deleted_at IS NULL
     AND NOT EXISTS (SELECT FROM pg_temp._mfi_snapshot s WHERE s.id = p.id AND s.is_wanted);
  ALTER TABLE pg_temp._mfi_change ADD PRIMARY KEY (id);
  ANALYZE pg_temp._mfi_change (id, class);
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_changes(uuid, boolean) IS
  'Fills pg_temp._mfi_change: what happens to each group, in the strongest class, by pg_temp._mfi_snapshot (wanted) '
  'and _mfi_present (stored). Attributes and roles that were not sent are not known, so they stay.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_changes(uuid, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_changes(uuid, boolean) TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_sync_refusals(scope uuid, options jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  errors jsonb;
  live bigint := (SELECT count(*) FROM pg_temp._mfi_present WHERE owner = scope AND deleted_at IS NULL);
  gone bigint := (SELECT count(*) FROM pg_temp._mfi_change WHERE class = 'soft_deleted');
BEGIN
  SELECT jsonb_agg(e.entry ORDER BY e.nr) INTO errors
    FROM (SELECT c.nr, @extschema@._mfi_sync_error('other_scope', c.id, @extschema@._mfi_sync_place(c.nr, '.id'),
                   format('the group is one of %s', p.belongs_to))
            FROM pg_temp._mfi_change c JOIN pg_temp._mfi_present p ON p.id = c.id
              WHERE p.belongs_to <> scope AND p.deleted_at IS NULL
          UNION ALL
          SELECT c.nr, @extschema@._mfi_sync_error('deleted_id', c.id, @extschema@._mfi_sync_place(c.nr, '.id'),
                                                   'the group was deleted, and restore is false')
            FROM pg_temp._mfi_change c
              WHERE c.class = 'restored' AND NOT (options ->> 'restore')::boolean) AS e (nr, entry);
  IF errors IS NOT NULL OR NOT (options ->> 'complete')::boolean THEN
    RETURN errors;
  ELSIF NOT (options ->> 'allow_empty')::boolean AND NOT EXISTS (SELECT FROM pg_temp._mfi_snapshot) THEN
    RETURN jsonb_build_array(@extschema@._mfi_sync_error('empty_snapshot', NULL::uuid, '$',
      format('the snapshot is empty, and %s groups are known', live)));
  ELSIF gone > live * (options ->> 'max_delete_ratio')::numeric OR gone > (options ->> 'max_delete_count')::numeric THEN
    RETURN jsonb_build_array(@extschema@._mfi_sync_error('too_many_deletions', NULL::uuid, '$',
      format('%s of %s groups are missing from the snapshot, more than max_delete_ratio %s%s', gone, live,
             options ->> 'max_delete_ratio',
             coalesce(' or max_delete_count ' || (options ->> 'max_delete_count'), ''))));
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_refusals(uuid, jsonb) IS
  'The errors for which the changes in pg_temp._mfi_change are refused, or NULL: groups of another scope, deletions '
  'beyond the limits.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_refusals(uuid, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_refusals(uuid, jsonb) TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_sync_warnings() RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (
    SELECT coalesce(jsonb_agg(entry ORDER BY nr, entry ->> 'code', entry ->> 'id'), '[]')
      FROM (SELECT s.nr, @extschema@._mfi_sync_error('name_slash', s.id, @extschema@._mfi_sync_place(s.nr, '.name'),
                     format('the name %s has a slash: its path may be read as that of another group', to_jsonb(s.name)))
              FROM pg_temp._mfi_snapshot s WHERE s.is_wanted AND s.name ~ '/'
            UNION ALL
            SELECT t.nr, @extschema@._mfi_sync_error('case_twin', t.id, @extschema@._mfi_sync_place(t.nr, '.name'),
                     format('the name %s differs from that of a sibling, %s, in case only', to_jsonb(t.name), t.first))
              FROM (SELECT s.nr, s.id, s.name, s.is_wanted, first_value(s.id) OVER same AS first
                      FROM pg_temp._mfi_snapshot s
                    WINDOW same AS (PARTITION BY s.parent, lower(s.name) ORDER BY s.is_wanted, s.nr)) t
             WHERE t.is_wanted AND t.id <> t.first
            UNION ALL
            SELECT NULL, @extschema@._mfi_sync_error('unclaimed', p.id, NULL::text,
                     format('the group %s has no portal_id and is not in the snapshot: it was left as it is',
                            to_jsonb(p.path)))
              FROM pg_temp._mfi_present p
             WHERE p.owner IS NULL AND p.deleted_at IS NULL
               AND NOT EXISTS (SELECT FROM pg_temp._mfi_snapshot s WHERE s.id = p.id)) AS w (nr, entry));
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_warnings() IS 'What is to be said of a snapshot that is good all the same.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_warnings() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_warnings() TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_sync_items(owner_column text, scope uuid) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (
    WITH side AS (
      SELECT c.id, c.nr, c.class,
             CASE WHEN p.id IS NOT NULL THEN
               jsonb_build_object('name', p.name, 'path', p.path, 'parent_id', p.parent, 'depth', p.depth,
                                  'description', p.description,
                 'attributes', p.attributes, 'realm_roles', p.realm_roles, 'client_roles', p.client_roles,
                   'deleted_at', p.deleted_at,
                 owner_column, p.owner) END AS old,
             CASE WHEN c.class <> 'soft_deleted' THEN
               jsonb_build_object('name', s.name, 'path', s.path, 'parent_id', s.parent, 'depth', s.depth,
                                  'description', s.description,
                 'attributes', coalesce(s.attributes, p.attributes), 'realm_roles',
                   coalesce(s.realm_roles, p.realm_roles),
                 'client_roles', coalesce(s.client_roles, p.client_roles), 'deleted_at', NULL,
                 owner_column, scope) END AS new
        FROM pg_temp._mfi_change c
        LEFT JOIN pg_temp._mfi_present p ON p.id = c.id
        LEFT JOIN pg_temp._mfi_snapshot s ON s.id = c.id
       WHERE c.class <> 'unchanged')
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'class', i.class, 'old', d.old, 'new', d.new)
                              ORDER BY i.nr, i.id), '[]')
      FROM side i
     CROSS JOIN LATERAL (
       SELECT jsonb_strip_nulls(i.old), jsonb_strip_nulls(i.new) WHERE i.old IS NULL OR i.new IS NULL
       UNION ALL
       SELECT jsonb_object_agg(k, i.old -> k), jsonb_object_agg(k, i.new -> k) FROM jsonb_object_keys(i.new) k
        WHERE i.old -> k <> i.new -> k
       HAVING i.old IS NOT NULL AND i.new IS NOT NULL) AS d (old, new));
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_items(text, uuid) IS
  'Every change of a group sync, with the columns that differ as they were and as they are.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_items(text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_items(text, uuid) TO mfi_sync;
