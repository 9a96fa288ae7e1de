CREATE FUNCTION @extschema@._mfi_execute_unrecorded(command text) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_execute_unrecorded';
COMMENT ON FUNCTION @extschema@._mfi_execute_unrecorded(text) IS
  'Executes a GRANT as if no extension script were running: else the server notes it as one that CREATE EXTENSION '
  'makes, and dumps leave it out. Only for superusers.';
REVOKE ALL ON FUNCTION @extschema@._mfi_execute_unrecorded(text) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_rights() RETURNS TABLE (role text, privilege text, relation regclass, columns name[])
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 'mfi_sync', r.privilege, @extschema@._mfi_regclass(r.name), r.columns::name[]
    FROM (VALUES
      ('portals', 'SELECT', '{id,realm_id}'), ('mfi_clients', 'SELECT', '{id}'),
        ('user_groups', 'SELECT', '{user_id,group_id}'),
      ('portal_groups', 'SELECT', NULL), ('portal_groups', 'INSERT', NULL), ('portal_groups', 'UPDATE', NULL),
      ('mfi_groups', 'SELECT', NULL), ('mfi_groups', 'INSERT', NULL), ('mfi_groups', 'UPDATE', NULL),
      ('portal_users', 'SELECT', '{id_iam,id_group,last_login_at}'), ('portal_users', 'UPDATE', '{last_login_at}'),
      ('mfi_users', 'SELECT', '{id_iam,id_group,last_login_at}'), ('mfi_users', 'UPDATE', '{last_login_at}'),
      ('user_auth_logs', 'INSERT', NULL), ('user_auth_logs', 'SELECT', '{iam_event_id,event_time,duplicate}'),
      ('admin_event_logs', 'INSERT', NULL),
        ('admin_event_logs', 'SELECT', '{event_id,event_time,duplicate}')) AS r (name, privilege, columns)
  UNION ALL
  SELECT r.role, r.privilege, c.oid::regclass, r.columns::name[]
    FROM (VALUES ('mfi_sync', 'SELECT', 'mfi', 'schema_version', NULL),
          ('mfi_sync', 'SELECT', 'mfi', 'sync_runs', NULL), ('mfi_sync', 'INSERT', 'mfi', 'sync_runs', NULL),
                 ('mfi_sync', 'DELETE', 'mfi', 'sync_runs', NULL),
                   ('mfi_audit_owner', 'SELECT', 'mfi', 'audit_watch', NULL)
          UNION ALL
          SELECT 'mfi_audit_owner', 'SELECT', 'mfi_audit', name || '_default', '{event_time}'
            FROM unnest(@extschema@._mfi_audit_tables()) AS name
         ) AS r (role, privilege, space, name, columns)
    -- Not by to_regclass(): it fails for a role that lacks the right on the schema, which is what is looked for.
    JOIN pg_namespace n ON n.nspname = r.space
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = r.name
$$;
COMMENT ON FUNCTION @extschema@._mfi_rights() IS
  'The rights on the bank''s tables that the extension''s roles have, all that they have; columns: on these alone.';
REVOKE ALL ON FUNCTION @extschema@._mfi_rights() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_rights() TO mfi_audit_owner;

CREATE OR REPLACE FUNCTION @extschema@._mfi_missing_grants() RETURNS TABLE (step text, command text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('%s on %s for %s', g.privileges, g.object, g.role),
         format('SELECT @extschema@._mfi_execute_unrecorded(%L::text)',
                format('GRANT %s ON %s TO %I', g.privileges, g.object, g.role))
    FROM (SELECT r.role, r.relation::text,
          string_agg(r.privilege || ' (' || array_to_string(r.columns, ', ') || ')', ', ')
            FROM @extschema@._mfi_rights() r
            JOIN pg_class c ON c.oid = r.relation
            JOIN pg_roles o ON o.rolname = r.role
           WHERE r.columns IS NOT NULL
             AND EXISTS (SELECT FROM pg_attribute a
                          WHERE a.attrelid = c.oid AND a.attname = ANY (r.columns) AND NOT a.attisdropped
                            AND NOT EXISTS (SELECT FROM (SELECT * FROM aclexplode(a.attacl)
                                                         UNION ALL SELECT * FROM aclexplode(c.relacl)) AS x
                                             WHERE x.grantee = o.oid AND x.privilege_type = r.privilege))
           GROUP BY r.role, r.relation
          UNION ALL
          SELECT r.role, r.relation::text, string_agg(r.privilege, ', ')
            FROM @extschema@._mfi_rights() r
            JOIN pg_class c ON c.oid = r.relation
            JOIN pg_roles o ON o.rolname = r.role
           WHERE r.columns IS NULL
             AND NOT EXISTS (SELECT FROM aclexplode(c.relacl) AS x
                             WHERE x.grantee = o.oid AND x.privilege_type = r.privilege)
           GROUP BY r.role, r.relation
          UNION ALL
          SELECT DISTINCT n.role, 'SCHEMA ' || quote_ident(n.name), 'USAGE'
            FROM (VALUES ('mfi_sync', 'mfi'), ('mfi_audit_owner', 'mfi'),
                  ('mfi_audit_owner', 'mfi_audit')) AS n (role, name)
            JOIN pg_namespace s ON s.nspname = n.name
            JOIN pg_roles o ON o.rolname = n.role
           WHERE NOT EXISTS (SELECT FROM aclexplode(s.nspacl) AS x
                             WHERE x.grantee = o.oid AND x.privilege_type = 'USAGE')
          UNION ALL
          -- Where everybody has them, as a new database and schema public give them, nothing is to be granted.
          SELECT DISTINCT o.rolname::text, 'SCHEMA ' || e.extnamespace::regnamespace, 'USAGE'
            FROM pg_extension e, pg_roles o
           WHERE e.extname IN ('mfi', 'uuid-ossp') AND o.rolname IN ('mfi_sync', 'mfi_audit_owner')
             AND NOT has_schema_privilege(o.oid, e.extnamespace, 'USAGE')
          UNION ALL
          SELECT o.rolname::text, 'DATABASE ' || quote_ident(current_database()), 'TEMPORARY'
            FROM pg_roles o
              WHERE o.rolname = 'mfi_sync' AND NOT has_database_privilege(o.oid, current_database(), 'TEMPORARY')
         ) AS g (role, object, privileges)
   ORDER BY g.role, g.object, g.privileges
$$;
COMMENT ON FUNCTION @extschema@._mfi_missing_grants() IS
  'Steps that give the extension''s roles the rights they lack: all in a new schema, and after a restore that left '
  'privileges out.';
GRANT EXECUTE ON FUNCTION @extschema@._mfi_missing_grants() TO mfi_audit_owner;
