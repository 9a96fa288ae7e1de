CREATE OR REPLACE FUNCTION @extschema@._mfi_schema_findings() RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  schema_version int[] := string_to_array(@extschema@.mfi_schema_version(), '.')::int[];
  newest_version int[] := string_to_array(@extschema@._mfi_newest_migration(), '.')::int[];
BEGIN
  IF NOT @extschema@._mfi_schema_ready() THEN
    RETURN ARRAY['warning', 'schema-missing', 'the tables of mfi are not complete in this database',
                 'When a restore is running, wait for its end; else SELECT mfi_migrate_schema().'];
  ELSIF schema_version < newest_version THEN
    RETURN ARRAY['warning', 'schema-behind', 'the tables of mfi are of an older version than the extension',
                 'SELECT mfi_migrate_schema().'];
  ELSIF schema_version > newest_version THEN
    RETURN ARRAY['warning', 'schema-ahead', 'the tables of mfi are of a newer version than the extension',
                 'ALTER EXTENSION mfi UPDATE.'];
  END IF;
  RETURN @extschema@._mfi_audit_findings();
END
$$;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_migrations() TO pg_monitor;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_newest_migration() TO pg_monitor;
