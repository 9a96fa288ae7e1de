-- The views, in version 1.0; {schema} stands for the schema that they are made in.

CREATE FUNCTION @extschema@._mfi_views_1_0() RETURNS TABLE (step text, command text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $migration$
VALUES

('view v_active_portals', $sql$
CREATE VIEW {schema}.v_active_portals WITH (security_invoker = true) AS
SELECT p.id, p.name, p.description, p.realm_id, p.is_active, p.on_prod,
       (SELECT count(DISTINCT ug.user_id)
          FROM {schema}.portal_groups g
          JOIN {schema}.user_groups ug ON ug.group_id = g.iam_group_id
         WHERE split_part(ltrim(g.group_path, '/'), '/', 1) = p.realm_id) AS user_count,
       p.created_on, p.updated_at
  FROM {schema}.portals p
 WHERE p.is_active;
COMMENT ON VIEW {schema}.v_active_portals IS 'Active portals and how many users each has.';
COMMENT ON COLUMN {schema}.v_active_portals.user_count IS
  'Distinct users in groups whose path begins with the portal''s realm; 0 when there are none.';
$sql$),

('view v_mfi_platforms_summary', $sql$
CREATE VIEW {schema}.v_mfi_platforms_summary WITH (security_invoker = true) AS
SELECT m.id AS mfi_id, m.name AS mfi_name, m.schema, m.is_active AS mfi_active,
       c.name AS country, t.name AS mfi_type_name,
       d.name AS platform_name, d.is_active AS platform_active,
       a.status AS assignment_status, a.assigned_on
  FROM {schema}.mfi_clients m
  LEFT JOIN {schema}.mfi_country c ON c.id = m.id_country
  LEFT JOIN {schema}.mfi_type t ON t.id = m.id_type
  LEFT JOIN {schema}.mfi_platforms a ON a.mfi_id = m.id
  LEFT JOIN {schema}.digital_platforms d ON d.id = a.platform_id;
COMMENT ON VIEW {schema}.v_mfi_platforms_summary IS
  'One row for each MFI and platform; an MFI without platforms has one row with NULLs.';
$sql$),

('view v_user_group_assignments', $sql$
CREATE VIEW {schema}.v_user_group_assignments WITH (security_invoker = true) AS
SELECT u.id AS user_id, u.username, u.email, u.fname, u.lname,
       g.name AS group_name, g.iam_group_id, ug.assigned_by, ug.assigned_on
  FROM {schema}.user_groups ug
  JOIN {schema}.portal_users u ON u.id_iam = ug.user_id
  JOIN {schema}.portal_groups g ON g.iam_group_id = ug.group_id;
COMMENT ON VIEW {schema}.v_user_group_assignments IS 'One row for each portal user and group.';
COMMENT ON COLUMN {schema}.v_user_group_assignments.user_id IS 'portal_users.id';
$sql$)
$migration$;
COMMENT ON FUNCTION @extschema@._mfi_views_1_0() IS 'Steps of schema version 1.0: the views.';
REVOKE ALL ON FUNCTION @extschema@._mfi_views_1_0() FROM PUBLIC;
