-- What mfi keeps for itself, in version 1.0; {schema} stands for the schema that they are made in.

CREATE FUNCTION @extschema@._mfi_tables_of_mfi_1_0() RETURNS TABLE (step text, command text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $migration$
VALUES

('schema mfi', $sql$
CREATE SCHEMA mfi;
COMMENT ON SCHEMA mfi IS 'The mfi extension''s own tables.';
GRANT USAGE ON SCHEMA mfi TO pg_monitor;
$sql$),

('schema mfi_audit', $sql$
CREATE SCHEMA mfi_audit;
COMMENT ON SCHEMA mfi_audit IS 'Partitions of the audit tables.';
$sql$),

('table mfi.schema_version', $sql$
CREATE TABLE mfi.schema_version (
  version      text PRIMARY KEY CHECK (version ~ '^[0-9]+[.][0-9]+$'),
  installed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE mfi.schema_version IS 'One row for each migration of the bank''s schema in this database.';
GRANT SELECT ON mfi.schema_version TO pg_monitor;
$sql$)
$migration$;
COMMENT ON FUNCTION @extschema@._mfi_tables_of_mfi_1_0() IS 'Steps of schema version 1.0: what mfi keeps for itself.';
REVOKE ALL ON FUNCTION @extschema@._mfi_tables_of_mfi_1_0() FROM PUBLIC;
