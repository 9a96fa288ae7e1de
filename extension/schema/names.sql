-- Schema
--
-- The bank's tables, sequences, views and triggers are made by a migration and then released
-- from the extension, so that stock pg_dump, pg_restore and pg_upgrade treat them as the user's
-- own. The functions stay members; they reach released objects only from late-bound bodies,
-- because a restore makes the members before it makes the tables.
--
-- How a version is added: the next script defines _mfi_migration_<major>_<minor>(), replaces
-- _mfi_triggers() when triggers change, and calls _mfi_install_schema().

CREATE FUNCTION @extschema@._mfi_tables() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT ARRAY[
    'activity_type', 'mfi_country', 'mfi_type', 'platform_type',
    'portals', 'portal_groups', 'portal_users', 'user_groups',
    'mfi_clients', 'mfi_groups', 'mfi_users', 'digital_platforms', 'mfi_platforms',
    'user_auth_logs', 'admin_event_logs', 'user_activity_logs', 'mfi_user_activity_logs']
$$;
COMMENT ON FUNCTION @extschema@._mfi_tables() IS
  'Names of the bank''s tables, in the order of their foreign keys.';
REVOKE ALL ON FUNCTION @extschema@._mfi_tables() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_tables() TO pg_monitor;

CREATE FUNCTION @extschema@._mfi_regclass(relation text) RETURNS regclass
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT to_regclass('@extschema@.' || quote_ident(relation)) $$;
COMMENT ON FUNCTION @extschema@._mfi_regclass(text) IS
  'The relation of this name in the extension''s schema; NULL when there is none.';
REVOKE ALL ON FUNCTION @extschema@._mfi_regclass(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_regclass(text) TO pg_monitor;
