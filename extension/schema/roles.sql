-- Schema 1.1: the audit tables become monthly partitions that only grow; columns for group sync.
--
-- Months are those of UTC, whatever the session's time zone. A month that has no partition yet goes
-- to the default partition, so that no event is ever refused; _mfi_audit_arrange moves it out later.

-- Roles
--
-- What others call with rights that are not theirs runs as one of two roles that nobody can log in as or become, and
-- that have just the rights it needs. They are of the cluster: DROP EXTENSION leaves them.

CREATE FUNCTION @extschema@._mfi_role_leavings(role name) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('the owner of %s', CASE WHEN s.dbid = 0 OR d.datname = current_database()
                THEN pg_describe_object(s.classid, s.objid, s.objsubid)
                                        ELSE format('an object in database %I', d.datname) END)
    FROM pg_shdepend s
    JOIN pg_roles r ON s.refclassid = 'pg_authid'::regclass AND r.oid = s.refobjid AND r.rolname = role
    LEFT JOIN pg_database d ON d.oid = s.dbid
   WHERE s.deptype = 'o'
     AND (role = 'mfi_sync' OR d.datname = current_database() AND NOT EXISTS (
           SELECT FROM pg_depend m JOIN pg_extension e ON m.refclassid = 'pg_extension'::regclass
             AND m.refobjid = e.oid AND e.extname = 'mfi'
            WHERE m.classid = s.classid AND m.objid = s.objid AND m.deptype = 'e'))
  UNION ALL
  SELECT format('a role with the settings %s', array_to_string(s.setconfig, ', '))
    FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole AND r.rolname = role
$$;
COMMENT ON FUNCTION @extschema@._mfi_role_leavings(name) IS
  'What a role of mfi owns, beside members of the extension, and settings that it has: nothing of mfi makes these, so '
  'somebody else did, with its rights.';
REVOKE ALL ON FUNCTION @extschema@._mfi_role_leavings(name) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_role_faults(role name) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT string_agg(fault, ', ')
    FROM (SELECT CASE WHEN r.rolcanlogin THEN 'LOGIN' END FROM pg_roles r WHERE r.rolname = role
          UNION ALL SELECT CASE WHEN r.rolsuper THEN 'SUPERUSER' END FROM pg_roles r WHERE r.rolname = role
          UNION ALL SELECT CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END FROM pg_roles r WHERE r.rolname = role
          UNION ALL SELECT CASE WHEN r.rolcreatedb THEN 'CREATEDB' END FROM pg_roles r WHERE r.rolname = role
          UNION ALL SELECT CASE WHEN r.rolreplication THEN 'REPLICATION' END FROM pg_roles r WHERE r.rolname = role
          UNION ALL SELECT CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END FROM pg_roles r WHERE r.rolname = role
          UNION ALL SELECT format('the member %I', pg_get_userbyid(m.member))
            FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid AND r.rolname = role
          UNION ALL SELECT format('membership in %I', pg_get_userbyid(m.roleid))
            FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member AND r.rolname = role
          UNION ALL SELECT l FROM @extschema@._mfi_role_leavings(role) l
         ) AS f (fault)
$$;
COMMENT ON FUNCTION @extschema@._mfi_role_faults(name) IS
  'What a role has that a role which owns functions of the extension must not have; NULL when there is nothing.';
REVOKE ALL ON FUNCTION @extschema@._mfi_role_faults(name) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_make_role(role name, purpose text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  faults text;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role) THEN
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS', role);
      EXECUTE format('COMMENT ON ROLE %I IS %L', role, purpose);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- another database's CREATE EXTENSION was quicker
    END;
  END IF;
  faults := @extschema@._mfi_role_faults(role);
  IF faults IS NOT NULL THEN
    RAISE EXCEPTION 'role % has rights that mfi cannot give to everybody who calls its functions: %',
      quote_ident(role), faults
      USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('Functions that other roles may call run with the rights of %I: whoever is a member of '
                            'it, or can log in as it, has them without the functions.', role),
            HINT = format('If it is a role of mfi, take them away: ALTER ROLE %1$I NOLOGIN NOSUPERUSER NOCREATEROLE '
                          'NOCREATEDB NOREPLICATION NOBYPASSRLS, and REVOKE '
                          'for each membership; drop what it owns. If it is another one, rename it: ALTER ROLE %1$I '
                          'RENAME TO ....', role);
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_make_role(name, text) IS
  'Makes a role that owns functions of the extension, if it is not there; fails when it is there and is more than '
  'that.';
REVOKE ALL ON FUNCTION @extschema@._mfi_make_role(name, text) FROM PUBLIC;

SELECT @extschema@._mfi_make_role('mfi_sync'::name,
  'Owns what mfi''s group syncs and event imports run as. What a table''s owner has put on these tables runs as this '
  'role, too.'::text);

SELECT @extschema@._mfi_make_role('mfi_audit_owner'::name,
                                  'Owns what mfi counts audit rows as, for the verdict.'::text);

GRANT EXECUTE ON FUNCTION @extschema@._mfi_role_leavings(name) TO mfi_audit_owner;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_role_leavings(name) TO mfi_sync;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_role_faults(name) TO mfi_audit_owner;
