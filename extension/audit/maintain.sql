-- What the worker and the verdict call

CREATE FUNCTION @extschema@._mfi_watched(command text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF command IS NOT NULL AND to_regclass('mfi.audit_watch') IS NOT NULL THEN
    PERFORM @extschema@._mfi_as_owner('mfi.audit_watch'::regclass, command);
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_watched(text) IS
  'Writes down in mfi.audit_watch what the command says, when that table is there.';
REVOKE ALL ON FUNCTION @extschema@._mfi_watched(text) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_can_maintain() RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN @extschema@._mfi_schema_ready()
    AND string_to_array(@extschema@.mfi_schema_version(), '.')::int[] >= ARRAY[1, 1]
      AND NOT @extschema@._mfi_restore_runs();
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_can_maintain() IS 'Whether it is the time for what the maintainer does.';
REVOKE ALL ON FUNCTION @extschema@._mfi_can_maintain() FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_maintain_table(name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET statement_timeout = '60s'
AS $$
DECLARE
  line text;
  failure text;
BEGIN
  BEGIN
    PERFORM @extschema@._mfi_require_partitions();
    PERFORM @extschema@._mfi_one_at_a_time(1, 'schema'::text);
    FOR line IN SELECT @extschema@._mfi_audit_arrange(name, 3) LOOP
      RAISE LOG 'mfi: %', line;
    END LOOP;
  EXCEPTION
    WHEN lock_not_available OR deadlock_detected THEN
      RAISE;
    WHEN query_canceled OR OTHERS THEN
      failure := left(regexp_replace(SQLERRM, '[[:cntrl:]]+', ' ', 'g'), 300);
      RAISE LOG 'mfi: partitions of % could not be arranged: %', name, failure;
  END;
  PERFORM @extschema@._mfi_watched(
    format('INSERT INTO mfi.audit_watch AS w (relation, trouble) VALUES (%1$L, %2$L) ON CONFLICT (relation) '
                                          'DO UPDATE SET trouble = EXCLUDED.trouble WHERE w.trouble IS DISTINCT FROM '
                                          'EXCLUDED.trouble', name, failure));
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_maintain_table(text) IS
  'Keeps the partitions of an audit table three months ahead. What fails is written down for the verdict, and is no '
  'other table''s trouble, unless it is a lock that somebody holds. In a worker no command that the owner of a table '
  'can make long takes more than a minute (statement_timeout).';
REVOKE ALL ON FUNCTION @extschema@._mfi_maintain_table(text) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_maintain() RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '500ms'
SET deadlock_timeout = '10ms'
AS $$
DECLARE
  name text;
BEGIN
  IF NOT @extschema@._mfi_can_maintain() THEN
    RETURN false;
  END IF;
  FOREACH name IN ARRAY @extschema@._mfi_audit_tables() LOOP
    PERFORM @extschema@._mfi_maintain_table(name);
  END LOOP;
  RETURN true;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_maintain() IS
  'What the maintainer does in mfi.database, in one transaction: keeps the audit partitions three months ahead. False '
  'when it is not the time for it. It does not wait long for a lock that a dump holds, since others would wait behind '
  'it. In a deadlock it gives way: it looks for one sooner than the others do (deadlock_timeout).';
REVOKE ALL ON FUNCTION @extschema@._mfi_maintain() FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_maintain_step() RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '500ms'
SET deadlock_timeout = '10ms'
AS $$
DECLARE
  started timestamptz := (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid());
  work text;
BEGIN
  SELECT w.relation INTO work FROM mfi.audit_watch w
   WHERE w.relation = ANY (@extschema@._mfi_audit_tables()) AND w.begun_at >= started
     AND (w.ended_at IS NULL OR w.ended_at < w.begun_at);
  IF FOUND THEN
    BEGIN
      PERFORM @extschema@._mfi_maintain_table(work);
      PERFORM @extschema@._mfi_watched(
        format('UPDATE mfi.audit_watch SET ended_at = clock_timestamp(), waits_since = NULL WHERE relation = %L',
               work));
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      RAISE LOG 'mfi: partitions of % wait: %', work, SQLERRM;
      PERFORM @extschema@._mfi_watched(
        format('UPDATE mfi.audit_watch SET begun_at = NULL, tried_at = clock_timestamp(), waits_since = '
               'coalesce(waits_since, now()) WHERE relation = %L', work));
    END;
    RETURN true;
  END IF;
  SELECT t.name INTO work
    FROM unnest(@extschema@._mfi_audit_tables()) WITH ORDINALITY AS t (name, position)
    LEFT JOIN mfi.audit_watch w ON w.relation = t.name
   WHERE (w.begun_at IS NULL OR w.begun_at < started
          AND (w.ended_at >= w.begun_at OR w.begun_at < now() - interval '10 minutes'))
     AND (w.tried_at IS NULL OR w.tried_at < started)
   ORDER BY t.position LIMIT 1;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM @extschema@._mfi_watched(
    format('INSERT INTO mfi.audit_watch (relation, begun_at) VALUES (%L, clock_timestamp()) '
                                          'ON CONFLICT (relation) DO UPDATE SET begun_at = EXCLUDED.begun_at', work));
  RETURN true;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_maintain_step() IS
  'What the maintainer calls again and again, each time in a transaction of its own, until it is false: the next table '
  'is noted as begun, then it is done. So a table whose owner makes the work hang, and the worker end, is known, is '
  'left alone for ten minutes, and the others are not kept waiting. It gives way to locks as _mfi_maintain() does, '
  'goes on with the next table, and is called again a minute later.';
REVOKE ALL ON FUNCTION @extschema@._mfi_maintain_step() FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_is_maintained() RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT count(*) FROM mfi.audit_watch w
           WHERE w.relation = ANY (@extschema@._mfi_audit_tables()) AND w.ended_at >= w.begun_at
             AND w.begun_at >= (SELECT backend_start FROM pg_stat_activity
                                WHERE pid = pg_backend_pid())) = cardinality(@extschema@._mfi_audit_tables());
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_is_maintained() IS 'Whether this process has done its work on all audit tables.';
REVOKE ALL ON FUNCTION @extschema@._mfi_is_maintained() FROM PUBLIC;
