-- Driver

CREATE FUNCTION @extschema@._mfi_migrations() RETURNS TABLE (version text, function regprocedure)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT v.version, p.oid::regprocedure
    FROM pg_depend d
    JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
   CROSS JOIN LATERAL (SELECT replace(substring(p.proname FROM '^_mfi_migration_([0-9]+_[0-9]+)$'),
                                      '_', '.')) AS v (version)
   WHERE e.extname = 'mfi' AND d.deptype = 'e' AND v.version IS NOT NULL
   ORDER BY string_to_array(v.version, '.')::int[]
$$;
COMMENT ON FUNCTION @extschema@._mfi_migrations() IS
  'Migrations this extension knows, oldest first: its members named _mfi_migration_<major>_<minor>.';
REVOKE ALL ON FUNCTION @extschema@._mfi_migrations() FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_newest_migration() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT version FROM @extschema@._mfi_migrations() ORDER BY string_to_array(version, '.')::int[] DESC LIMIT 1
$$;
COMMENT ON FUNCTION @extschema@._mfi_newest_migration() IS 'The schema version this extension makes.';
REVOKE ALL ON FUNCTION @extschema@._mfi_newest_migration() FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_members() RETURNS TABLE (classid oid, objid oid)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT d.classid, d.objid
    FROM pg_depend d
    JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
   WHERE e.extname = 'mfi' AND d.deptype = 'e'
$$;
COMMENT ON FUNCTION @extschema@._mfi_members() IS 'Objects that belong to the extension.';
REVOKE ALL ON FUNCTION @extschema@._mfi_members() FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_missing_grants() RETURNS TABLE (step text, command text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT NULL::text, NULL::text WHERE false $$;
COMMENT ON FUNCTION @extschema@._mfi_missing_grants() IS
  'Steps that give the extension''s roles the rights they lack; in this version it has no roles.';
REVOKE ALL ON FUNCTION @extschema@._mfi_missing_grants() FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_release(kept text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  object record;
BEGIN
  FOR object IN
    SELECT i.type, i.identity
      FROM @extschema@._mfi_members() m, pg_identify_object(m.classid, m.objid, 0) i
     WHERE m.classid IN ('pg_class'::regclass, 'pg_namespace'::regclass)
       AND m.classid || '/' || m.objid <> ALL (kept)
  LOOP
    EXECUTE format('ALTER EXTENSION mfi DROP %s %s', object.type, object.identity);
  END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_release(text[]) IS
  'Releases from the extension every relation and schema that is not in the list of "classid/objid".';
REVOKE ALL ON FUNCTION @extschema@._mfi_release(text[]) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_check_version() RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  current_version text := @extschema@.mfi_schema_version();
  newest text := @extschema@._mfi_newest_migration();
  missing text;
BEGIN
  IF string_to_array(current_version, '.')::int[] > string_to_array(newest, '.')::int[] THEN
    RAISE EXCEPTION 'schema version % is newer than % of this extension', current_version, newest
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'Run ALTER EXTENSION mfi UPDATE, or install the newer package of mfi first.';
  END IF;
  SELECT string_agg(name, ', ') INTO missing
    FROM unnest(@extschema@._mfi_tables()) AS name WHERE @extschema@._mfi_regclass(name) IS NULL;
  IF current_version IS NOT NULL AND missing IS NOT NULL THEN
    RAISE EXCEPTION 'tables missing from schema @extschema@: %', missing
      USING ERRCODE = 'undefined_table',
            DETAIL = format('mfi.schema_version says that schema version %s is installed.', current_version),
            HINT = 'Restore them from a backup. If the bank''s tables are in another schema, drop the '
                   'extension and create it there: CREATE EXTENSION mfi CASCADE SCHEMA .... '
                   'To start over without them, drop the schemas mfi and mfi_audit.';
  END IF;
  RETURN current_version;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_check_version() IS
  'The schema''s version; fails when this extension cannot migrate it.';
REVOKE ALL ON FUNCTION @extschema@._mfi_check_version() FROM PUBLIC;
