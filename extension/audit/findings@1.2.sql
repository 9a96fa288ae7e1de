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
      hindered := @extschema@._mfi_hindrance(ARRAY[name]);
      findings := findings || ARRAY['warning', 'audit-rows-outside',
        format('%s has %s of %s whose month has no partition', outside, @extschema@._mfi_about(dated, 'row'), name)
          || coalesce('; the worker tried, but ' || hindered, ''),
        CASE WHEN hindered IS NOT NULL THEN 'Take away what hinders it, then '
             ELSE @extschema@._mfi_worker_step('within a minute or two'::text) END
          || 'SELECT mfi_audit_ensure_partitions(3). It gives months from 2000 to three ahead a partition; a time '
             'before or after that is a mistake of the sender.'];
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
    hindered := @extschema@._mfi_hindrance(@extschema@._mfi_audit_tables());
    findings := findings || ARRAY['warning', 'audit-partitions-missing', 'these audit partitions are not there: '
                                  || missing || coalesce('; the worker tried, but ' || hindered, ''),
      CASE WHEN hindered IS NULL
             THEN @extschema@._mfi_worker_step('within the hour'::text) || 'SELECT mfi_audit_ensure_partitions(3).'
           ELSE 'Take away what hinders it (SELECT pg_terminate_backend(...) ends a process that holds a lock); it is '
                'tried again within the hour, or now: SELECT mfi_audit_ensure_partitions(3).' END];
  END IF;
  IF to_regclass('mfi.audit_watch') IS NOT NULL AND has_table_privilege(to_regclass('mfi.audit_watch'), 'SELECT') THEN
    FOR finding IN SELECT f FROM @extschema@._mfi_watch_findings() AS f LOOP
      findings := findings || finding;
    END LOOP;
  END IF;
  RETURN findings;
END
$$;

CREATE FUNCTION @extschema@._mfi_worker_step(soon text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN current_setting('mfi.database', true) <> current_database()
    THEN format('No worker sees to this database, but to %s (mfi.database), so do it now and each month: ',
                quote_ident(current_setting('mfi.database', true)))
    ELSE format('The worker does it by itself %s, unless maintenance-failed says what hinders it; now: ', soon) END
$$;
COMMENT ON FUNCTION @extschema@._mfi_worker_step(text) IS
  'How a next step begins that the worker takes by itself, where it sees to this database.';
REVOKE ALL ON FUNCTION @extschema@._mfi_worker_step(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_worker_step(text) TO mfi_audit_owner;

CREATE FUNCTION @extschema@._mfi_hindrance(names text[]) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF to_regclass('mfi.audit_watch') IS NULL
     OR NOT has_table_privilege(to_regclass('mfi.audit_watch'), 'SELECT') THEN
    RETURN NULL;
  END IF;
  RETURN (SELECT string_agg(format('%s: %s', w.relation, coalesce(w.trouble, format(
                     'locked by others since %s, now by %s', date_trunc('second', w.waits_since),
                     coalesce(@extschema@._mfi_lock_holders(w.relation), 'nobody')))), '; '
                   ORDER BY w.relation COLLATE "C")
            FROM mfi.audit_watch w
           WHERE w.relation = ANY (names) AND (w.trouble IS NOT NULL OR w.waits_since IS NOT NULL));
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_hindrance(text[]) IS
  'What has kept the worker from these audit tables, in its own words; NULL when nothing has.';
REVOKE ALL ON FUNCTION @extschema@._mfi_hindrance(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_hindrance(text[]) TO mfi_audit_owner;
