--
-- Privileges: nothing for PUBLIC, monitoring reads the version, dumps keep every grant
--
SET client_min_messages = warning;
DROP DATABASE IF EXISTS regression_mfi_privileges;
DROP ROLE IF EXISTS regress_mfi_nobody, regress_mfi_monitor;
CREATE DATABASE regression_mfi_privileges;
CREATE ROLE regress_mfi_nobody;
CREATE ROLE regress_mfi_monitor IN ROLE pg_monitor;
\c regression_mfi_privileges
SET client_min_messages = warning;
CREATE EXTENSION mfi CASCADE;

-- A grant recorded for an object that is not a member would be left out of dumps
SELECT pg_describe_object(classoid, objoid, objsubid) AS init_privs_of_non_member
  FROM pg_init_privs i
 WHERE privtype = 'e'
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = i.classoid AND d.objid = i.objoid AND d.deptype = 'e');

-- Functions of ours that PUBLIC may call: what triggers run, and what reads a table or sequence only for those who may read it
SELECT p.oid::regprocedure
  FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
  JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'mfi'
 WHERE EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner)))
                WHERE grantee = 0 AND privilege_type = 'EXECUTE')
   AND p.proname LIKE '\_mfi\_%'
 ORDER BY p.proname COLLATE "C";

SELECT r.relation, has_table_privilege('regress_mfi_nobody', r.relation, 'SELECT') AS nobody,
       has_table_privilege('regress_mfi_monitor', r.relation, 'SELECT') AS monitor
  FROM unnest(ARRAY['portals', 'v_active_portals', 'user_auth_logs', 'mfi.schema_version']) AS r (relation);

SET ROLE regress_mfi_nobody;
SELECT * FROM portals;
SELECT * FROM v_active_portals;
SELECT mfi_schema_version();
SELECT * FROM mfi_migrate_schema();
SELECT * FROM mfi_migrate_schema(dry_run => true);
SELECT * FROM mfi.schema_version;
SET ROLE regress_mfi_monitor;
SELECT mfi_schema_version(), _mfi_schema_ready();
SELECT * FROM mfi_migrate_schema();
RESET ROLE;

-- The views show a user what the tables would: security_invoker
GRANT SELECT ON v_active_portals, portals TO regress_mfi_nobody;
SET ROLE regress_mfi_nobody;
SELECT name, user_count FROM v_active_portals;
RESET ROLE;
GRANT SELECT ON portal_groups, user_groups TO regress_mfi_nobody;
SET ROLE regress_mfi_nobody;
SELECT name, user_count FROM v_active_portals;
RESET ROLE;

-- A user who may only write rows gets the triggers' work all the same
GRANT SELECT, UPDATE ON mfi_type TO regress_mfi_nobody;
SET ROLE regress_mfi_nobody;
UPDATE mfi_type SET name = 'Bank' WHERE id = 1;
RESET ROLE;
SELECT updated_at > created_at AS moved FROM mfi_type WHERE id = 1;

\c postgres
DROP DATABASE regression_mfi_privileges;
DROP ROLE regress_mfi_nobody, regress_mfi_monitor;
