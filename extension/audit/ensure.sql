-- What users call

CREATE FUNCTION @extschema@.mfi_audit_ensure_partitions(months integer DEFAULT 3) RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  name text;
  line text;
BEGIN
  IF months IS NULL OR months NOT BETWEEN 0 AND 120 THEN
    RAISE EXCEPTION 'months must be between 0 and 120, not %', coalesce(months::text, 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'It is the number of months after the current one.';
  END IF;
  PERFORM @extschema@._mfi_require_partitions();
  -- One at a time, until the end of the transaction: a second caller waits, then finds nothing to do.
  PERFORM @extschema@._mfi_one_at_a_time(1, 'schema'::text);
  FOREACH name IN ARRAY @extschema@._mfi_audit_tables() LOOP
    RETURN QUERY SELECT @extschema@._mfi_audit_arrange(name, months);
  END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.mfi_audit_ensure_partitions(integer) IS
  'Makes the partitions of the audit tables for the current month and so many after it, and those of the months whose '
  'rows are in a default partition; returns one line for each. The worker calls it by itself.';
REVOKE ALL ON FUNCTION @extschema@.mfi_audit_ensure_partitions(integer) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_require_partitions() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF pg_is_in_recovery() THEN
    RAISE EXCEPTION 'this server is a standby'
      USING ERRCODE = 'read_only_sql_transaction', HINT = 'Connect to the primary and call it there.';
  END IF;
  IF NOT @extschema@._mfi_schema_ready()
    OR string_to_array(@extschema@.mfi_schema_version(), '.')::int[] < ARRAY[1, 1] THEN
    RAISE EXCEPTION 'the audit tables of this database have no partitions yet'
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'When a restore is running, wait for its end; else SELECT mfi_migrate_schema().';
  END IF;
  IF @extschema@._mfi_restore_runs() THEN
    RAISE EXCEPTION 'a restore is running in this database'
      USING ERRCODE = 'object_not_in_prerequisite_state',
        DETAIL = format('It is %s.', @extschema@._mfi_restore_sessions()),
            HINT = 'Wait for its end.';
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_require_partitions() IS
  'Fails unless the audit tables of this database are complete, partitioned and writable.';
REVOKE ALL ON FUNCTION @extschema@._mfi_require_partitions() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_require_partitions() TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_restore_sessions() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT string_agg(format('process %s of %I', a.pid, r.rolname), ', ' ORDER BY a.pid)
    FROM pg_stat_activity a
    JOIN pg_database d ON d.oid = a.datid
    JOIN pg_roles r ON r.oid = a.usesysid
   WHERE d.datname = current_database() AND a.application_name = 'pg_restore'
     AND (r.rolsuper OR r.oid = d.datdba)
$$;
COMMENT ON FUNCTION @extschema@._mfi_restore_sessions() IS
  'Sessions by which pg_restore works in this database, or NULL. Any session may take its name: it is believed of '
  'superusers and of the database''s owner.';
REVOKE ALL ON FUNCTION @extschema@._mfi_restore_sessions() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_restore_sessions() TO mfi_audit_owner;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_restore_sessions() TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_restore_runs() RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT @extschema@._mfi_restore_sessions() IS NOT NULL $$;
COMMENT ON FUNCTION @extschema@._mfi_restore_runs() IS
  'Whether pg_restore works in this database. The index of a partitioned table that is still to come would be invalid '
  'for ever if a partition were made now.';
REVOKE ALL ON FUNCTION @extschema@._mfi_restore_runs() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_restore_runs() TO mfi_sync;
