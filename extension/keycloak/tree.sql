CREATE FUNCTION @extschema@._mfi_sync_tree(complete boolean) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  CREATE INDEX ON pg_temp._mfi_snapshot (parent);
  ANALYZE pg_temp._mfi_snapshot (id, parent, name);
  WITH RECURSIVE tree (id, depth, path) AS (
    SELECT id, 0, coalesce(path, '/' || replace(name, '/', '~/')) FROM pg_temp._mfi_snapshot WHERE parent IS NULL
    UNION ALL
    SELECT s.id, t.depth + 1, coalesce(s.path, t.path || '/' || replace(s.name, '/', '~/'))
      FROM tree t JOIN pg_temp._mfi_snapshot s ON s.parent = t.id)
  UPDATE pg_temp._mfi_snapshot s SET depth = t.depth, path = t.path FROM tree t WHERE s.id = t.id;
  RETURN (
    WITH RECURSIVE orphan (id) AS (
      SELECT s.id FROM pg_temp._mfi_snapshot s
       WHERE s.depth IS NULL AND NOT EXISTS (SELECT FROM pg_temp._mfi_snapshot p WHERE p.id = s.parent)
      UNION ALL
      SELECT s.id FROM orphan o JOIN pg_temp._mfi_snapshot s ON s.parent = o.id),
    error (nr, entry) AS (
      SELECT s.nr, @extschema@._mfi_sync_error('parent_missing', s.id, @extschema@._mfi_sync_place(s.nr),
               format('its parent %s is not in the snapshot%s', s.parent, CASE WHEN NOT complete
                      THEN ', nor known from before' END))
        FROM pg_temp._mfi_snapshot s
       WHERE s.depth IS NULL AND s.is_wanted AND NOT EXISTS (SELECT FROM pg_temp._mfi_snapshot p WHERE p.id = s.parent)
      UNION ALL
      SELECT s.nr, @extschema@._mfi_sync_error('cycle', s.id, @extschema@._mfi_sync_place(s.nr),
                                               'the group is, or is under, its own ancestor')
        FROM pg_temp._mfi_snapshot s
       WHERE s.depth IS NULL AND s.is_wanted AND s.id NOT IN (SELECT id FROM orphan)
      UNION ALL
      SELECT t.nr, @extschema@._mfi_sync_error('sibling_name', t.id, @extschema@._mfi_sync_place(t.nr, '.name'),
               format('another group of the same parent is named %s too: %s', to_jsonb(t.name), t.first))
        FROM (SELECT s.nr, s.id, s.name, s.is_wanted, first_value(s.id) OVER same AS first
                FROM pg_temp._mfi_snapshot s
              WINDOW same AS (PARTITION BY s.parent, s.name ORDER BY s.is_wanted, s.nr)) t
       WHERE t.is_wanted AND t.id <> t.first
      UNION ALL
      SELECT s.nr, @extschema@._mfi_sync_error('truncated', s.id, @extschema@._mfi_sync_place(s.nr, '.subGroupCount'),
               format('truncated snapshot: %s of the %s children of the group are missing',
                      s.sub_group_count - coalesce(c.count, 0), s.sub_group_count))
        FROM pg_temp._mfi_snapshot s
        LEFT JOIN (SELECT parent, count(*) FROM pg_temp._mfi_snapshot GROUP BY parent) c ON c.parent = s.id
       WHERE complete AND s.sub_group_count > coalesce(c.count, 0))
    SELECT jsonb_agg(entry ORDER BY nr, entry ->> 'code') FROM error);
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_tree(boolean) IS
  'Gives each group of pg_temp._mfi_snapshot its depth, and its path where Keycloak sent none. Returns the errors of '
  'the tree, or NULL.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_tree(boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_tree(boolean) TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_sync_root(root text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  WITH RECURSIVE kept (id) AS (
    SELECT id FROM pg_temp._mfi_snapshot WHERE path = root AND is_wanted
    UNION ALL
    SELECT s.id FROM kept k JOIN pg_temp._mfi_snapshot s ON s.parent = k.id)
  UPDATE pg_temp._mfi_snapshot SET is_wanted = false WHERE is_wanted AND id NOT IN (SELECT id FROM kept);
  IF EXISTS (SELECT FROM pg_temp._mfi_snapshot WHERE is_wanted) THEN
    RETURN NULL;
  END IF;
  RETURN jsonb_build_array(@extschema@._mfi_sync_error('root_missing', NULL::uuid, '$',
    format('no group of the snapshot has the root_group_path %s', to_jsonb(root))));
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_root(text) IS
  'Leaves only the group of this path and what is under it wanted in pg_temp._mfi_snapshot. Returns the error when '
  'there is none.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_root(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_root(text) TO mfi_sync;
