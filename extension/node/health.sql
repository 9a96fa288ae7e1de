CREATE FUNCTION @extschema@._mfi_health(scope text, findings text[], OUT verdict text,
                                        OUT reasons text[], OUT next_steps text[])
RETURNS SETOF record
LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_health';
COMMENT ON FUNCTION @extschema@._mfi_health(text, text[]) IS 'Behind mfi_health().';
REVOKE ALL ON FUNCTION @extschema@._mfi_health(text, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_health(text, text[]) TO pg_monitor;

CREATE FUNCTION @extschema@._mfi_schema_findings() RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  schema_version int[] := string_to_array(@extschema@.mfi_schema_version(), '.')::int[];
  extension_version int[] := (SELECT string_to_array(extversion, '.')::int[] FROM pg_extension WHERE extname = 'mfi');
BEGIN
  IF NOT @extschema@._mfi_schema_ready() THEN
    RETURN ARRAY['warning', 'schema-missing', 'the tables of mfi are not complete in this database',
                 'When a restore is running, wait for its end; else SELECT mfi_migrate_schema().'];
  ELSIF schema_version < extension_version THEN
    RETURN ARRAY['warning', 'schema-behind', 'the tables of mfi are of an older version than the extension',
                 'SELECT mfi_migrate_schema().'];
  ELSIF schema_version > extension_version THEN
    RETURN ARRAY['warning', 'schema-ahead', 'the tables of mfi are of a newer version than the extension',
                 'ALTER EXTENSION mfi UPDATE.'];
  END IF;
  RETURN @extschema@._mfi_audit_findings();
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_schema_findings() IS
  'What is to be said of this database''s schema: verdict, code, sentence and next step, one after the other.';
REVOKE ALL ON FUNCTION @extschema@._mfi_schema_findings() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_schema_findings() TO pg_monitor;

CREATE FUNCTION @extschema@._mfi_audit_findings() RETURNS text[]
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT '{}'::text[] $$;
COMMENT ON FUNCTION @extschema@._mfi_audit_findings() IS
  'What is to be said of the audit tables; in this version nothing.';
REVOKE ALL ON FUNCTION @extschema@._mfi_audit_findings() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_audit_findings() TO pg_monitor;

CREATE FUNCTION @extschema@.mfi_health(
  scope text DEFAULT 'all', OUT verdict text, OUT reasons text[], OUT next_steps text[])
RETURNS SETOF record
LANGUAGE plpgsql VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  scope := coalesce(scope, 'all');
  RETURN QUERY SELECT h.verdict, h.reasons, h.next_steps
    FROM @extschema@._mfi_health(scope, CASE WHEN scope IN ('all', 'node')
                                 THEN @extschema@._mfi_schema_findings() ELSE '{}' END) h;
END
$$;
COMMENT ON FUNCTION @extschema@.mfi_health(text) IS
  'One row: the verdict on this node (ok, warning, unknown, critical), its reasons and what to do. scope: node, '
  'replication, backup, or all.';
REVOKE ALL ON FUNCTION @extschema@.mfi_health(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.mfi_health(text) TO pg_monitor;
