CREATE FUNCTION @extschema@._mfi_as_owner(relation regclass, command text) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_as_owner';
COMMENT ON FUNCTION @extschema@._mfi_as_owner(regclass, text) IS
  'Executes a command with the rights of a relation''s owner, in a security-restricted operation as VACUUM and REFRESH '
  'do, and with session_replication_role = replica; returns the first column of its first row. For whatever evaluates '
  'what the owner, or somebody the owner let in, has put on the relation: checks, defaults, generated columns, index '
  'expressions, triggers. Only for superusers.';
REVOKE ALL ON FUNCTION @extschema@._mfi_as_owner(regclass, text) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_as_role(role name, command text) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_as_role';
COMMENT ON FUNCTION @extschema@._mfi_as_role(name, text) IS
  'The same with the rights of a role, for a definition that this role wrote. Only for superusers.';
REVOKE ALL ON FUNCTION @extschema@._mfi_as_role(name, text) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_lock(relation regclass, exclusive boolean) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_lock';
COMMENT ON FUNCTION @extschema@._mfi_lock(regclass, boolean) IS
  'Locks a relation: for itself alone (ACCESS EXCLUSIVE), also a view or materialized view and nothing below it; or as '
  'whoever writes to it does (ROW EXCLUSIVE), for a role that may update some of its columns only and so may not LOCK '
  'TABLE.';
REVOKE ALL ON FUNCTION @extschema@._mfi_lock(regclass, boolean) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_one_at_a_time(kind integer, work text) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_one_at_a_time';
COMMENT ON FUNCTION @extschema@._mfi_one_at_a_time(integer, text) IS
  'kind: 1 the schema, 2 imports, 3 group syncs. Waits until no other transaction does this work, and keeps others '
  'waiting until the end of this one. It is no advisory lock: those may be taken by anyone who can connect.';
REVOKE ALL ON FUNCTION @extschema@._mfi_one_at_a_time(integer, text) FROM PUBLIC;
