CREATE OR REPLACE FUNCTION @extschema@._mfi_audit_findings() RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  name text;
  outside text;
  dated bigint;
  undated bigint;
  findings text[] := '{}';
  finding text[];
  missing text;
  hindered text;
  sessions text := @extschema@._mfi_restore_sessions();
BEGIN
  IF sessions IS NOT NULL THEN
    findings := findings || ARRAY['warning', 'restore-running',
      format('audit partitions and imports wait for the end of pg_restore, as which %s runs in this database',
             sessions),
      'If no restore is running, end that session: its application_name is pg_restore.'];
  END IF;
  SELECT string_agg(DISTINCT format('%s: %s', r.role, coalesce(@extschema@._mfi_role_faults(r.role::name), 'missing')),
                    '; ') INTO missing
    FROM (VALUES ('mfi_sync'), ('mfi_audit_owner')) AS r (role)
   WHERE NOT EXISTS (SELECT FROM pg_roles o WHERE o.rolname = r.role)
     OR @extschema@._mfi_role_faults(r.role::name) IS NOT NULL;
  IF missing IS NOT NULL THEN
    findings := findings || ARRAY['warning', 'role-too-strong',
                                  'what mfi runs for others has rights, or can be reached, beyond what it needs: '
                                    || missing,
      'ALTER ROLE and REVOKE: these roles are NOLOGIN, have no attribute and no membership.'];
  END IF;
  SELECT string_agg(g.step, '; ') INTO missing FROM @extschema@._mfi_missing_grants() g;
  IF missing IS NOT NULL THEN
    findings := findings || ARRAY['warning', 'rights-missing', 'group syncs, imports or this check lack rights: '
                                  || missing, 'SELECT mfi_migrate_schema().'];
  END IF;
  IF NOT has_schema_privilege('mfi_audit', 'USAGE') OR NOT has_schema_privilege('mfi', 'USAGE') THEN
    RETURN findings;
  END IF;
  FOREACH name IN ARRAY @extschema@._mfi_audit_tables() LOOP
    outside := @extschema@._mfi_partition_name(name, NULL::timestamptz);
    CONTINUE WHEN to_regclass(outside) IS NULL;
    IF NOT EXISTS (SELECT FROM pg_attribute a
                   WHERE a.attrelid = to_regclass(outside) AND a.attname = 'event_time' AND NOT a.attisdropped) THEN
      findings := findings || ARRAY['warning', 'audit-column-missing',
                                    format('%s has no column event_time, so its rows cannot be looked at', outside),
        'Name or add it again as it was: syncs, imports and partitions need it.'];
      CONTINUE;
    END IF;
    CONTINUE WHEN NOT has_column_privilege(to_regclass(outside), 'event_time', 'SELECT');
    dated := @extschema@._mfi_count_to(to_regclass(outside), 'event_time'::name, false, 1001::bigint);
    undated := @extschema@._mfi_count_to(to_regclass(outside), 'event_time'::name, true, 1001::bigint);
    IF dated IS NULL OR undated IS NULL THEN
      findings := findings || ARRAY['ok', 'audit-locked',
                                    format('%s is locked by somebody, so its rows were not looked at', outside), ''];
    END IF;
    IF dated > 0 THEN
      findings := findings || ARRAY['warning', 'audit-rows-outside',
        format('%s has %s of %s whose month has no partition', outside, @extschema@._mfi_about(dated, 'row'), name),
        'SELECT mfi_audit_ensure_partitions(3) gives months from 2000 on a partition. A time before that, or far '
        'ahead, is a '
        'mistake of the sender.'];
    END IF;
    IF undated > 0 THEN
      findings := findings || ARRAY['ok', 'audit-rows-undated',
        format('%s has %s without event_time, which belong to no month and do not expire', name,
               @extschema@._mfi_about(undated, 'row')), ''];
    END IF;
  END LOOP;
  SELECT string_agg(p.name, ', ' ORDER BY t.position, further) INTO missing
    FROM unnest(@extschema@._mfi_audit_tables()) WITH ORDINALITY AS t (name, position),
      generate_series(-1, 1) AS further,
         LATERAL (SELECT @extschema@._mfi_partition_name(t.name, CASE WHEN further >= 0
                                                         THEN @extschema@._mfi_month(now(), further) END)) AS p (name)
   WHERE NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass(p.name));
  IF missing IS NOT NULL THEN
    IF to_regclass('mfi.audit_watch') IS NOT NULL AND has_table_privilege(to_regclass('mfi.audit_watch'), 'SELECT') THEN
      SELECT string_agg(format('%s: %s', w.relation,
                               coalesce(w.trouble, format('locked by others since %s',
                                                          date_trunc('second', w.waits_since)))), '; '
                                                            ORDER BY w.relation COLLATE "C")
        INTO hindered FROM mfi.audit_watch w
       WHERE w.relation = ANY (@extschema@._mfi_audit_tables())
         AND (w.trouble IS NOT NULL OR w.waits_since IS NOT NULL);
    END IF;
    findings := findings || ARRAY['warning', 'audit-partitions-missing', 'these audit partitions are not there: '
                                  || missing || coalesce('; the worker tried, but ' || hindered, ''),
      CASE WHEN hindered IS NULL THEN 'The worker makes them within an hour, unless maintenance-failed says what '
                                      'hinders it; now: SELECT mfi_audit_ensure_partitions(3).'
           ELSE 'Take away what hinders it (pg_locks names the sessions that hold locks); it is tried again '
                'within the hour, or now: SELECT mfi_audit_ensure_partitions(3).' END];
  END IF;
  IF to_regclass('mfi.audit_watch') IS NOT NULL AND has_table_privilege(to_regclass('mfi.audit_watch'), 'SELECT') THEN
    FOR finding IN SELECT f FROM @extschema@._mfi_watch_findings() AS f LOOP
      findings := findings || finding;
    END LOOP;
  END IF;
  RETURN findings;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_audit_findings() IS
  'What is to be said of the audit partitions, for _mfi_schema_findings(). It counts rows that monitoring may not '
  'read.';
-- Privileges are noted together with who granted them, so they follow the owner.
ALTER FUNCTION @extschema@._mfi_audit_findings() OWNER TO mfi_audit_owner;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_audit_findings() TO pg_monitor;

CREATE FUNCTION @extschema@._mfi_count_to(relation regclass, column_name name, nulls boolean,
                                          most bigint) RETURNS bigint
LANGUAGE c STABLE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_count_to';
COMMENT ON FUNCTION @extschema@._mfi_count_to(regclass, name, boolean, bigint) IS
  'Rows of a table whose column is NULL, or is not, at most so many; NULL when somebody holds a lock that it would '
  'wait for. No query does it, so nothing that the table''s owner has put on it runs. The caller needs SELECT on the '
  'column.';
REVOKE ALL ON FUNCTION @extschema@._mfi_count_to(regclass, name, boolean, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_count_to(regclass, name, boolean, bigint) TO mfi_audit_owner;

CREATE FUNCTION @extschema@._mfi_about(count bigint, noun text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN count > 1000 THEN 'more than 1000 ' || noun || 's' WHEN count = 1 THEN '1 ' || noun
    ELSE count || ' ' || noun || 's' END
$$;
COMMENT ON FUNCTION @extschema@._mfi_about(bigint, text) IS 'A count that stops at 1001, in words.';
REVOKE ALL ON FUNCTION @extschema@._mfi_about(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_about(bigint, text) TO mfi_audit_owner;

GRANT EXECUTE ON FUNCTION @extschema@._mfi_regclass(text) TO mfi_audit_owner;
