CREATE FUNCTION @extschema@.mfi_schema_version() RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF to_regclass('mfi.schema_version') IS NULL THEN
    RETURN NULL;
  END IF;
  RETURN (SELECT version FROM mfi.schema_version
          ORDER BY string_to_array(version, '.')::int[] DESC LIMIT 1);
END
$$;
COMMENT ON FUNCTION @extschema@.mfi_schema_version() IS
  'Version of the bank''s schema in this database; NULL when the schema is missing.';
REVOKE ALL ON FUNCTION @extschema@.mfi_schema_version() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.mfi_schema_version() TO pg_monitor;
