-- Keycloak: two groups with one path are told, as whoever knows groups by their paths takes them for one.

CREATE OR REPLACE FUNCTION @extschema@._mfi_sync_warnings() RETURNS jsonb
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
            SELECT t.nr, @extschema@._mfi_sync_error('same_path', t.id, @extschema@._mfi_sync_place(t.nr, '.path'),
                     format('the path %s is also that of another group, %s', to_jsonb(t.path), t.first))
              FROM (SELECT s.nr, s.id, s.path, first_value(s.id) OVER (PARTITION BY s.path ORDER BY s.nr) AS first
                      FROM pg_temp._mfi_snapshot s WHERE s.is_wanted) t
             WHERE t.id <> t.first
            UNION ALL
            SELECT NULL, @extschema@._mfi_sync_error('unclaimed', p.id, NULL::text,
                     format('the group %s has no portal_id and is not in the snapshot: it was left as it is',
                            to_jsonb(p.path)))
              FROM pg_temp._mfi_present p
             WHERE p.owner IS NULL AND p.deleted_at IS NULL
               AND NOT EXISTS (SELECT FROM pg_temp._mfi_snapshot s WHERE s.id = p.id)) AS w (nr, entry));
END
$$;
