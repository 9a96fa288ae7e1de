-- Readiness. A parallel restore makes a table's unique index only after that table's rows are
-- in, and the marker trigger only after the version row is in; together they say that no row is
-- still to come.
CREATE FUNCTION @extschema@._mfi_schema_ready() RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN @extschema@.mfi_schema_version() IS NOT NULL
     AND EXISTS (SELECT FROM pg_trigger
                  WHERE tgrelid = to_regclass('mfi.schema_version')
                    AND tgname = 'guard_schema_version')
     AND NOT EXISTS (SELECT FROM unnest(@extschema@._mfi_tables()) AS name
                      WHERE NOT EXISTS (SELECT FROM pg_index
                                         WHERE indrelid = @extschema@._mfi_regclass(name)
                                           AND indisunique AND indisvalid));
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_schema_ready() IS
  'True when the schema is complete and no restore is still filling it.';
REVOKE ALL ON FUNCTION @extschema@._mfi_schema_ready() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_schema_ready() TO pg_monitor;

CREATE FUNCTION @extschema@._mfi_refuse_old_snapshot() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
    RAISE EXCEPTION 'tables and views cannot be moved, dropped or made anew at isolation level %',
      current_setting('transaction_isolation')
      USING ERRCODE = 'invalid_transaction_state',
            DETAIL = 'What others committed after the transaction''s snapshot would not be seen: rows would be lost. '
                     'Nothing was changed.',
            HINT = 'Call it again after SET default_transaction_isolation = ''read committed''.';
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_refuse_old_snapshot() IS
  'Fails in a transaction whose snapshot is older than the locks it takes.';
REVOKE ALL ON FUNCTION @extschema@._mfi_refuse_old_snapshot() FROM PUBLIC;
