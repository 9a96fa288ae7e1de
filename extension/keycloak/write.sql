CREATE FUNCTION @extschema@._mfi_sync_refuse(errors jsonb) RETURNS void
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
            ELSE 'Take the snapshot again. With {"dry_run": true} all errors come as JSON.' END;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_refuse(jsonb) IS
  'Raises the errors of a group sync, the first of them one by one.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_refuse(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_refuse(jsonb) TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_sync_load(kind text, scope uuid, complete boolean) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF kind = 'portal' THEN
    -- Without portal_id a group is of the portal whose realm its path begins with.
    INSERT INTO pg_temp._mfi_present
    SELECT t.iam_group_id AS id, t.portal_id AS owner,
           CASE WHEN t.portal_id IS NOT NULL THEN t.portal_id
                WHEN split_part(ltrim(t.group_path, '/'), '/', 1) = own.realm_id THEN own.id
                ELSE (SELECT o.id FROM @extschema@.portals o
                      WHERE o.realm_id = split_part(ltrim(t.group_path, '/'), '/', 1) LIMIT 1) END AS belongs_to,
           t.name, t.description, t.group_path AS path, t.parent_iam_group_id AS parent, t.depth, t.attributes,
             t.realm_roles, t.client_roles, t.deleted_at
      FROM @extschema@.portals own, @extschema@.portal_groups t
     WHERE own.id = _mfi_sync_load.scope
       AND (t.portal_id = own.id OR t.iam_group_id IN (SELECT s.id FROM pg_temp._mfi_snapshot s)
            OR t.portal_id IS NULL AND split_part(ltrim(t.group_path, '/'), '/', 1) = own.realm_id);
  ELSE
    INSERT INTO pg_temp._mfi_present
    SELECT t.iam_group_id AS id, t.id_mfi AS owner, t.id_mfi AS belongs_to,
           t.name, t.description, t.group_path AS path, t.parent_iam_group_id AS parent, t.depth, t.attributes,
             t.realm_roles, t.client_roles, t.deleted_at
      FROM @extschema@.mfi_groups t
     WHERE t.id_mfi = _mfi_sync_load.scope OR t.iam_group_id IN (SELECT s.id FROM pg_temp._mfi_snapshot s);
  END IF;
  IF NOT complete THEN
    -- What is known stands beside what was sent, so that parents, cycles and names are looked at in the whole tree.
    INSERT INTO pg_temp._mfi_snapshot (id, parent, name, path, depth, is_wanted)
    SELECT p.id, u.id, p.name, p.path, CASE WHEN u.id IS NULL THEN p.depth END, false
      FROM pg_temp._mfi_present p
      LEFT JOIN (SELECT k.id FROM pg_temp._mfi_present k WHERE k.owner = _mfi_sync_load.scope AND k.deleted_at IS NULL
                 UNION SELECT s.id FROM pg_temp._mfi_snapshot s) u ON u.id = p.parent
     WHERE p.owner = _mfi_sync_load.scope AND p.deleted_at IS NULL
    ON CONFLICT DO NOTHING;
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_load(text, uuid, boolean) IS
  'Fills pg_temp._mfi_present: the stored groups of a portal or MFI, and those of others that the snapshot names.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_load(text, uuid, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_load(text, uuid, boolean) TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_sync_write(kind text, owner_column text, scope uuid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format(
    'UPDATE @extschema@.%I t SET deleted_at = now() FROM pg_temp._mfi_change c WHERE c.id = t.iam_group_id AND '
    'c.class = ''soft_deleted''', kind || '_groups');
  EXECUTE format(
    'UPDATE @extschema@.%I t SET %I = $1, name = s.name, description = s.description, group_path = s.path, '
    'parent_iam_group_id = s.parent, depth = s.depth,   attributes = coalesce(s.attributes, t.attributes), realm_roles '
    '= coalesce(s.realm_roles, t.realm_roles),   client_roles = coalesce(s.client_roles, t.client_roles), deleted_at = '
    'NULL FROM pg_temp._mfi_change c JOIN pg_temp._mfi_snapshot s ON s.id = c.id '
    'WHERE c.id = t.iam_group_id AND c.class NOT IN (''created'', ''unchanged'', ''soft_deleted'')', kind || '_groups',
      owner_column) USING scope;
  EXECUTE format(
    'INSERT INTO @extschema@.%I (iam_group_id, %I, name, description, group_path, parent_iam_group_id, depth, '
    'attributes, realm_roles, client_roles) SELECT s.id, $1, s.name, s.description, s.path, s.parent, s.depth, '
    's.attributes, s.realm_roles, s.client_roles   FROM pg_temp._mfi_change c JOIN pg_temp._mfi_snapshot s ON s.id = '
    'c.id WHERE c.class = ''created'' ORDER BY s.nr',
    kind || '_groups', owner_column) USING scope;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_write(text, text, uuid) IS
  'Does in the table of the groups what pg_temp._mfi_change says; a group that is unchanged is not touched.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_write(text, text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_write(text, text, uuid) TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_sync_report(kind text, owner_column text, scope uuid) RETURNS jsonb
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
                JOIN pg_temp._mfi_snapshot s ON s.name = p.name AND s.path = p.path
                JOIN pg_temp._mfi_change new ON new.id = s.id AND new.class = 'created'
               WHERE gone.class = 'soft_deleted') AS r),
    'affected_users', users, 'warnings', @extschema@._mfi_sync_warnings(), 'errors', '[]'::jsonb);
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_report(text, text, uuid) IS
  'The report of a group sync, from its temporary tables, as they are before it writes.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_report(text, text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_report(text, text, uuid) TO mfi_sync;
