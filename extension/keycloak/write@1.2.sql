-- Keycloak: a group is made anew where it was deleted, and not where another one only has its path.

CREATE OR REPLACE FUNCTION @extschema@._mfi_sync_refuse(errors jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  most CONSTANT integer := 20;
  count integer := jsonb_array_length(errors);
  code text := errors #>> '{0,code}';
BEGIN
  RAISE EXCEPTION 'the groups were not synced: % in the snapshot', count || CASE count WHEN 1
    THEN ' error' ELSE ' errors' END
    USING ERRCODE = CASE WHEN code IN ('too_many_deletions', 'empty_snapshot') THEN 'restrict_violation'
      ELSE 'invalid_parameter_value' END,
          DETAIL = (SELECT string_agg(format('%s: %s (%s%s)', e ->> 'path_in_input', e ->> 'message', e ->> 'code',
                                             ', id ' || (e ->> 'id')), E'\n' ORDER BY nr)
                      FROM jsonb_array_elements(errors) WITH ORDINALITY AS t (e, nr) WHERE nr <= most)
                   || CASE WHEN count > most THEN format(E'\nand %s more', count - most)
                     ELSE '' END || E'\nNothing was written.',
          HINT = CASE code
            WHEN 'too_many_deletions' THEN 'If they are really gone from Keycloak, call it again with '
                                           '{"max_delete_ratio": 1} or a greater max_delete_count.'
            WHEN 'empty_snapshot' THEN 'If Keycloak really has no group, call it again with {"allow_empty": true, '
                                       '"max_delete_ratio": 1}.'
            WHEN 'truncated' THEN 'Fetch all pages of /groups and of every /groups/{id}/children, whose page has 10 '
                                  'groups unless max is given.'
            WHEN 'other_scope' THEN 'A group is of one portal or MFI. Give root_group_path when several share a realm.'
            WHEN 'root_ambiguous' THEN 'Give the names from the top: {"root_group_path": ["a", "b"]}.'
            ELSE 'Take the snapshot again. With {"dry_run": true} all errors come as JSON.' END;
END
$$;

CREATE OR REPLACE FUNCTION @extschema@._mfi_sync_report(kind text, owner_column text, scope uuid) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  counts jsonb;
  users bigint;
BEGIN
  SELECT jsonb_object_agg(k.class, coalesce(c.count, 0)) INTO counts
    FROM unnest(ARRAY['created', 'restored', 'renamed', 'moved', 'updated', 'path_changed', 'soft_deleted',
                      'unchanged']) AS k (class)
    LEFT JOIN (SELECT class, count(*) FROM pg_temp._mfi_change GROUP BY class) c USING (class);
  IF kind = 'portal' THEN
    SELECT count(*) INTO users
      FROM (SELECT m.user_id FROM @extschema@.user_groups m
            JOIN pg_temp._mfi_change c ON c.id = m.group_id AND c.class = 'soft_deleted'
            UNION SELECT u.id_iam FROM @extschema@.portal_users u
              JOIN pg_temp._mfi_change c ON c.id = u.id_group AND c.class = 'soft_deleted') AS affected;
  ELSE
    SELECT count(*) INTO users FROM @extschema@.mfi_users u
      JOIN pg_temp._mfi_change c ON c.id = u.id_group AND c.class = 'soft_deleted';
  END IF;
  RETURN jsonb_build_object(
    'outcome', CASE WHEN EXISTS (SELECT FROM pg_temp._mfi_change WHERE class <> 'unchanged')
      THEN 'changed' ELSE 'noop' END,
    'counts', counts || (
      SELECT jsonb_build_object('received', e.count, 'duplicates_merged', e.count - s.sent,
                                'outside_root', s.sent - s.wanted)
        FROM (SELECT count(*) FROM pg_temp._mfi_element) e,
             (SELECT count(*) FILTER (WHERE nr IS NOT NULL) AS sent, count(*) FILTER (WHERE is_wanted) AS wanted
              FROM pg_temp._mfi_snapshot) s),
    'items', @extschema@._mfi_sync_items(owner_column, scope),
    'replaced', (
      SELECT coalesce(jsonb_agg(jsonb_build_object('old_id', r.old, 'new_id', r.new, 'name', r.name)
                                ORDER BY r.nr), '[]')
        FROM (SELECT p.id AS old, s.id AS new, s.name, s.nr FROM pg_temp._mfi_change gone
                JOIN pg_temp._mfi_present p ON p.id = gone.id
                JOIN pg_temp._mfi_snapshot s ON s.name = p.name AND coalesce(s.parent, s.id) = coalesce(p.parent, s.id)
                JOIN pg_temp._mfi_change new ON new.id = s.id AND new.class = 'created'
               WHERE gone.class = 'soft_deleted'
              UNION
              SELECT p.id, s.id, s.name, s.nr FROM pg_temp._mfi_change gone
                JOIN pg_temp._mfi_present p ON p.id = gone.id
                JOIN pg_temp._mfi_snapshot s ON s.name = p.name AND s.path = p.path AND s.depth = p.depth
                JOIN pg_temp._mfi_change new ON new.id = s.id AND new.class = 'created'
               WHERE gone.class = 'soft_deleted') AS r),
    'affected_users', users, 'warnings', @extschema@._mfi_sync_warnings(), 'errors', '[]'::jsonb);
END
$$;
