-- Keycloak: names may have slashes, so that two groups may have one path.

CREATE OR REPLACE FUNCTION @extschema@._mfi_sync_root(root text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  root_names jsonb := CASE WHEN root ~ '^\[' THEN root::jsonb END;
  roots jsonb;
BEGIN
  -- By the names from the top: /a/b is the path of b in a, and of a group named a/b, which Keycloak may write /a~/b. A
  -- group that is known from before may stand under one that is not.
  WITH RECURSIVE named (id, names, path, escaped) AS (
    SELECT s.id, CASE WHEN s.is_wanted OR s.depth = 0 THEN jsonb_build_array(s.name) END,
           CASE WHEN s.is_wanted OR s.depth = 0 THEN '/' || s.name ELSE s.path END,
           CASE WHEN s.is_wanted OR s.depth = 0 THEN '/' || replace(s.name, '/', '~/') ELSE s.path END
      FROM pg_temp._mfi_snapshot s WHERE s.parent IS NULL
    UNION ALL
    SELECT s.id, n.names || to_jsonb(s.name), n.path || '/' || s.name, n.escaped || '/' || replace(s.name, '/', '~/')
      FROM named n JOIN pg_temp._mfi_snapshot s ON s.parent = n.id)
  SELECT jsonb_object_agg(n.id, n.names ORDER BY s.nr) INTO roots
    FROM named n JOIN pg_temp._mfi_snapshot s USING (id)
   WHERE s.is_wanted AND CASE WHEN root_names IS NULL THEN root IN (n.path, n.escaped)
                              ELSE n.names = root_names END;
  IF roots IS NULL THEN
    RETURN jsonb_build_array(@extschema@._mfi_sync_error('root_missing', NULL::uuid, '$',
      format('no group of the snapshot has the root_group_path %s', coalesce(root_names, to_jsonb(root)))));
  ELSIF (SELECT count(*) FROM jsonb_object_keys(roots)) > 1 THEN
    RETURN (
      SELECT jsonb_agg(@extschema@._mfi_sync_error('root_ambiguous', s.id, @extschema@._mfi_sync_place(s.nr),
               format('the root_group_path %s is that of several groups, of %s here',
                      coalesce(root_names, to_jsonb(root)), r.value))
               ORDER BY s.nr)
        FROM jsonb_each(roots) r JOIN pg_temp._mfi_snapshot s ON s.id = r.key::uuid);
  END IF;
  WITH RECURSIVE kept (id) AS (
    SELECT r::uuid FROM jsonb_object_keys(roots) r
    UNION ALL
    SELECT s.id FROM kept k JOIN pg_temp._mfi_snapshot s ON s.parent = k.id)
  UPDATE pg_temp._mfi_snapshot SET is_wanted = false WHERE is_wanted AND id NOT IN (SELECT id FROM kept);
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_root(text) IS
  'Leaves only the group of this path, or of these names from the top (a JSON array), and what is under it wanted in '
  'pg_temp._mfi_snapshot. Returns the error when there is none, or the errors when there are several.';
