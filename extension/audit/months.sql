-- Partitions

CREATE FUNCTION @extschema@._mfi_month(at timestamptz, further integer DEFAULT 0) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT (date_trunc('month', at AT TIME ZONE 'UTC') + make_interval(months => further)) AT TIME ZONE 'UTC'
$$;
COMMENT ON FUNCTION @extschema@._mfi_month(timestamptz, integer) IS
  'Begin, in UTC, of the month of a moment, or of one so many months further.';
REVOKE ALL ON FUNCTION @extschema@._mfi_month(timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_month(timestamptz, integer) TO mfi_audit_owner;

CREATE FUNCTION @extschema@._mfi_partition_name(relation text, month timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 'mfi_audit.' || quote_ident(relation || coalesce(to_char(month AT TIME ZONE 'UTC', '_YYYYMM'), '_default'))
$$;
COMMENT ON FUNCTION @extschema@._mfi_partition_name(text, timestamptz) IS
  'Name of the partition of an audit table for a month; of its default partition when the month is NULL.';
REVOKE ALL ON FUNCTION @extschema@._mfi_partition_name(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_partition_name(text, timestamptz) TO mfi_audit_owner;

CREATE FUNCTION @extschema@._mfi_tablespace(relation regclass) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format(' TABLESPACE %I', spcname) FROM pg_class c JOIN pg_tablespace t ON t.oid = c.reltablespace
    WHERE c.oid = relation
$$;
COMMENT ON FUNCTION @extschema@._mfi_tablespace(regclass) IS
  'Clause that puts a new table where this one is; NULL when that is the database''s own tablespace.';
REVOKE ALL ON FUNCTION @extschema@._mfi_tablespace(regclass) FROM PUBLIC;
