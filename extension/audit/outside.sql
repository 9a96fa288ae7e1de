CREATE FUNCTION @extschema@._mfi_default_partitions() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT string_agg(i.inhrelid::text, ' ' ORDER BY i.inhrelid)
    FROM unnest(@extschema@._mfi_audit_tables()) AS name
    JOIN pg_inherits i ON i.inhparent = @extschema@._mfi_regclass(name)
     AND i.inhrelid = to_regclass(@extschema@._mfi_partition_name(name, NULL::timestamptz))
$$;
COMMENT ON FUNCTION @extschema@._mfi_default_partitions() IS
  'The oids of the default partitions of the audit tables. The maintainer tells them to the watcher, which sees by the '
  'server''s statistics when rows come into one of them, and has the maintainer move them within seconds.';
REVOKE ALL ON FUNCTION @extschema@._mfi_default_partitions() FROM PUBLIC;
