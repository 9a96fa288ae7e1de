CREATE FUNCTION @extschema@._mfi_migration_1_1() RETURNS TABLE (step text, command text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $migration$
DECLARE
  obstacles text;
BEGIN
  SELECT string_agg(format('%I: %s', name, obstacle), E'\n' ORDER BY name, obstacle) INTO obstacles
    FROM (SELECT name, @extschema@._mfi_audit_obstacles(name) FROM unnest(@extschema@._mfi_audit_tables()) AS name
          UNION ALL SELECT name, @extschema@._mfi_columns_in_the_way(name)
            FROM unnest(@extschema@._mfi_tables()) AS name) AS o (name, obstacle);
  IF obstacles IS NOT NULL THEN
    RAISE EXCEPTION 'the tables cannot be brought to version 1.1 while other objects are in the way'
      USING ERRCODE = 'dependent_objects_still_exist', DETAIL = obstacles || E'\nNothing was changed.',
            HINT = 'Drop these objects (rename columns), migrate, and make them again where they still make sense.';
  END IF;
  RETURN QUERY

SELECT format('table %s: partitions by month%s', t.name, ' (' || @extschema@._mfi_audit_forecast(t.name) || ')'),
       format('SELECT @extschema@._mfi_partition_audit_table(%L::text, %L::text, %L::text, %L::text, %L::text)',
              t.name, t.new_columns, t.time_of_row, t.event_key, t.id_key)
         || E';\n' || t.comments
  FROM (VALUES
('user_auth_logs', $sql$ip inet, duplicate boolean NOT NULL DEFAULT false$sql$, 'event_time',
 'CREATE UNIQUE INDEX ON @extschema@.user_auth_logs (iam_event_id, event_time) WHERE NOT duplicate',
 'CREATE UNIQUE INDEX ON @extschema@.user_auth_logs (id, event_time)', $sql$
COMMENT ON COLUMN @extschema@.user_auth_logs.ip IS 'ip_address, when it is an address.';
COMMENT ON COLUMN @extschema@.user_auth_logs.duplicate IS
  'True for a row from before version 1.1 that repeats the event of another row; since then an event is taken once.';
$sql$),
('admin_event_logs', $sql$event_time timestamptz NOT NULL DEFAULT now(), auth_realm_id text, auth_client_uuid text,
  auth_user_id text, ip_address text, ip inet, representation_raw text, error text,
  duplicate boolean NOT NULL DEFAULT false$sql$,
 'coalesce(created_on, now())',
 'CREATE UNIQUE INDEX ON @extschema@.admin_event_logs (event_id, event_time) WHERE NOT duplicate',
 'CREATE UNIQUE INDEX ON @extschema@.admin_event_logs (id, event_time)', $sql$
COMMENT ON COLUMN @extschema@.admin_event_logs.event_time IS
  'When it happened. Rows from before version 1.1 have the time they were written.';
COMMENT ON COLUMN @extschema@.admin_event_logs.auth_realm_id IS 'Keycloak realm of the administrator.';
COMMENT ON COLUMN @extschema@.admin_event_logs.auth_client_uuid IS
  'Keycloak''s id, not the name, of the client the administrator used.';
COMMENT ON COLUMN @extschema@.admin_event_logs.auth_user_id IS 'Keycloak''s id of the administrator.';
COMMENT ON COLUMN @extschema@.admin_event_logs.ip_address IS 'As Keycloak sent it; not always an address.';
COMMENT ON COLUMN @extschema@.admin_event_logs.ip IS 'ip_address, when it is an address.';
COMMENT ON COLUMN @extschema@.admin_event_logs.representation_raw IS 'The representation as sent, when it is not JSON.';
COMMENT ON COLUMN @extschema@.admin_event_logs.duplicate IS
  'True for a row from before version 1.1 that repeats the event of another row; since then an event is taken once.';
$sql$),
('user_activity_logs', '', 'event_time', NULL,
 'CREATE UNIQUE INDEX ON @extschema@.user_activity_logs (id, event_time) NULLS NOT DISTINCT', $sql$
ALTER TABLE @extschema@.user_activity_logs ALTER COLUMN event_time SET DEFAULT now();
COMMENT ON COLUMN @extschema@.user_activity_logs.event_time IS 'When it happened; NULL when nobody knows.';
$sql$),
('mfi_user_activity_logs', 'id_mfi uuid', 'event_time', NULL,
 'CREATE UNIQUE INDEX ON @extschema@.mfi_user_activity_logs (id, event_time) NULLS NOT DISTINCT', $sql$
ALTER TABLE @extschema@.mfi_user_activity_logs ALTER COLUMN event_time SET DEFAULT now();
COMMENT ON COLUMN @extschema@.mfi_user_activity_logs.event_time IS 'When it happened; NULL when nobody knows.';
COMMENT ON COLUMN @extschema@.mfi_user_activity_logs.id_mfi IS
  'mfi_clients.id; no foreign key: the log outlives the MFI.';
$sql$)) AS t (name, new_columns, time_of_row, event_key, id_key, comments);

  RETURN QUERY VALUES
('columns of portal_groups for group sync', $sql$
ALTER TABLE @extschema@.portal_groups
  ADD COLUMN portal_id    uuid REFERENCES @extschema@.portals (id) ON DELETE SET NULL,
  ADD COLUMN depth        integer CHECK (depth >= 0),
  ADD COLUMN attributes   jsonb,
  ADD COLUMN realm_roles  jsonb,
  ADD COLUMN client_roles jsonb,
  ADD COLUMN deleted_at   timestamptz;
CREATE INDEX ON @extschema@.portal_groups (portal_id);
CREATE INDEX portal_groups_realm_idx ON @extschema@.portal_groups (split_part(ltrim(group_path, '/'), '/', 1))
  WHERE portal_id IS NULL;
COMMENT ON COLUMN @extschema@.portal_groups.portal_id IS
  'The portal of the group. NULL: that of the realm that group_path begins with.';
COMMENT ON COLUMN @extschema@.portal_groups.depth IS 'Depth in Keycloak''s tree, 0 at the top.';
COMMENT ON COLUMN @extschema@.portal_groups.attributes IS 'Keycloak''s attributes of the group.';
COMMENT ON COLUMN @extschema@.portal_groups.realm_roles IS 'Keycloak''s realm roles of the group.';
COMMENT ON COLUMN @extschema@.portal_groups.client_roles IS 'Keycloak''s client roles of the group.';
COMMENT ON COLUMN @extschema@.portal_groups.deleted_at IS
  'When Keycloak was found without the group. Its memberships stay, but no view shows them.';
$sql$),

('user_groups: vacuumed sooner, so that v_active_portals reads its index alone', $sql$
ALTER TABLE @extschema@.user_groups
  SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.02);
$sql$),

('columns of mfi_groups for group sync', $sql$
ALTER TABLE @extschema@.mfi_groups
  ADD COLUMN depth        integer CHECK (depth >= 0),
  ADD COLUMN attributes   jsonb,
  ADD COLUMN realm_roles  jsonb,
  ADD COLUMN client_roles jsonb,
  ADD COLUMN deleted_at   timestamptz;
COMMENT ON COLUMN @extschema@.mfi_groups.depth IS 'Depth in Keycloak''s tree, 0 at the top.';
COMMENT ON COLUMN @extschema@.mfi_groups.attributes IS 'Keycloak''s attributes of the group.';
COMMENT ON COLUMN @extschema@.mfi_groups.realm_roles IS 'Keycloak''s realm roles of the group.';
COMMENT ON COLUMN @extschema@.mfi_groups.client_roles IS 'Keycloak''s client roles of the group.';
COMMENT ON COLUMN @extschema@.mfi_groups.deleted_at IS 'When Keycloak was found without the group.';
$sql$);

  RETURN QUERY SELECT s.step, s.command FROM @extschema@._mfi_tables_of_mfi_1_1() s;

  RETURN QUERY VALUES
('view v_active_portals: by portal_groups.portal_id', $sql$
ALTER EXTENSION mfi ADD VIEW @extschema@.v_active_portals;
CREATE OR REPLACE VIEW @extschema@.v_active_portals WITH (security_invoker = true) AS
SELECT p.id, p.name, p.description, p.realm_id, p.is_active, p.on_prod,
       (SELECT count(DISTINCT ug.user_id)
          FROM @extschema@.user_groups ug
         WHERE ug.group_id = ANY (ARRAY(
               SELECT g.iam_group_id
                 FROM @extschema@.portal_groups g
                WHERE g.portal_id = p.id AND g.deleted_at IS NULL
                UNION ALL
               SELECT g.iam_group_id
                 FROM @extschema@.portal_groups g
                WHERE g.portal_id IS NULL AND split_part(ltrim(g.group_path, '/'), '/', 1) = p.realm_id
                  AND g.deleted_at IS NULL))) AS user_count,
       p.created_on, p.updated_at
  FROM @extschema@.portals p
 WHERE p.is_active;
ALTER EXTENSION mfi DROP VIEW @extschema@.v_active_portals;
COMMENT ON COLUMN @extschema@.v_active_portals.user_count IS
  'Distinct users in groups of the portal (portal_groups.portal_id; where that is NULL, groups whose path begins with '
  'the portal''s realm); 0 when there are none.';
$sql$),

('view v_user_group_assignments: without deleted groups', $sql$
ALTER EXTENSION mfi ADD VIEW @extschema@.v_user_group_assignments;
CREATE OR REPLACE VIEW @extschema@.v_user_group_assignments WITH (security_invoker = true) AS
SELECT u.id AS user_id, u.username, u.email, u.fname, u.lname,
       g.name AS group_name, g.iam_group_id, ug.assigned_by, ug.assigned_on
  FROM @extschema@.user_groups ug
  JOIN @extschema@.portal_users u ON u.id_iam = ug.user_id
  JOIN @extschema@.portal_groups g ON g.iam_group_id = ug.group_id
 WHERE g.deleted_at IS NULL;
ALTER EXTENSION mfi DROP VIEW @extschema@.v_user_group_assignments;
$sql$);
END
$migration$;
COMMENT ON FUNCTION @extschema@._mfi_migration_1_1() IS
  'Steps of schema version 1.1, in order: what each makes and its command. Fails when something keeps an audit table '
  'from being partitioned.';
REVOKE ALL ON FUNCTION @extschema@._mfi_migration_1_1() FROM PUBLIC;
