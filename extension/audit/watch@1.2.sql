CREATE OR REPLACE FUNCTION @extschema@._mfi_watch_audit() RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '500ms'
AS $$
DECLARE
  started timestamptz := (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid());
  newest text;
  command text;
  work record;
  failure text;
BEGIN
  IF to_regclass('mfi.audit_watch') IS NULL OR NOT @extschema@._mfi_schema_ready()
    OR @extschema@._mfi_restore_runs() THEN
    RETURN false;
  END IF;
  SELECT string_agg(format('(%L, %L)', r.name, pg_get_userbyid(c.relowner)), ', ') INTO command
    FROM @extschema@._mfi_audit_relations() r JOIN pg_class c ON c.oid = r.relation
    LEFT JOIN mfi.audit_watch w ON w.relation = r.name
   WHERE r.relation = r.parent AND w.owner IS NULL;
  PERFORM @extschema@._mfi_watched('INSERT INTO mfi.audit_watch (relation, owner) VALUES ' || command
                                   || ' ON CONFLICT (relation) DO UPDATE SET owner = EXCLUDED.owner');
  SELECT string_agg(format('(%L)', r.relation), ', ') INTO command
    FROM @extschema@._mfi_audit_relations() r
   WHERE r.leaf AND NOT EXISTS (SELECT FROM mfi.audit_watch w WHERE w.relation = r.relation::text);
  PERFORM @extschema@._mfi_watched('INSERT INTO mfi.audit_watch (relation) VALUES ' || command
                                   || ' ON CONFLICT DO NOTHING');

  -- A backup that has more rows than were counted is younger than that count, which says nothing of it: it is counted
  -- anew, and only a month that was short before is short until then.
  newest := (SELECT b.id FROM @extschema@._mfi_backups() b
              WHERE b.database = current_database() AND NOT b.is_foreign AND b.path IS NOT NULL
                AND b.verify_method = 'restore' AND b.verify_result = 'ok'
              ORDER BY b.finished_at DESC LIMIT 1);
  IF newest IS NOT NULL THEN
    SELECT string_agg(format('(%L, %s, %L)', r.relation, t.rows, newest), ', ') INTO command
      FROM @extschema@._mfi_audit_relations() r
      JOIN @extschema@._mfi_backup_tables(newest) t ON t.name = r.relation::text
      LEFT JOIN mfi.audit_watch w ON w.relation = r.relation::text
     WHERE r.month IS NOT NULL AND t.rows > coalesce(w.expected, 0) AND w.expired_at IS NULL;
    PERFORM @extschema@._mfi_watched('INSERT INTO mfi.audit_watch AS w (relation, expected, backup) VALUES ' || command
      || ' ON CONFLICT (relation) DO UPDATE SET expected = EXCLUDED.expected, backup = EXCLUDED.backup, '
         'counted_at = CASE WHEN w.rows >= EXCLUDED.expected THEN w.counted_at END, '
         'rows = CASE WHEN w.rows >= EXCLUDED.expected OR w.rows < w.expected THEN w.rows END');
  END IF;

  -- Where nothing was taken away since the last count, nor the file is another one, there are not fewer rows: counting
  -- again is for what has changed, and once a week for all.
  SELECT r.relation, c.relfilenode AS file,
    pg_stat_get_tuples_deleted(c.oid) + pg_stat_get_tuples_updated(c.oid) AS changes INTO work
    FROM mfi.audit_watch w
    JOIN @extschema@._mfi_audit_relations() r ON r.relation::text = w.relation AND r.leaf
    JOIN pg_class c ON c.oid = r.relation
   WHERE w.expired_at IS NULL
     AND (w.rows IS NULL OR w.rows < w.expected OR w.file <> c.relfilenode
          OR w.changes <> pg_stat_get_tuples_deleted(c.oid) + pg_stat_get_tuples_updated(c.oid)
          OR w.trouble IS NOT NULL OR w.counted_at < now() - interval '7 days')
     AND (w.counted_at IS NULL OR w.counted_at < now() - interval '1 minute')
     AND (w.tried_at IS NULL OR w.tried_at < started)
   ORDER BY w.counted_at NULLS FIRST, w.relation LIMIT 1;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  BEGIN
    PERFORM @extschema@._mfi_watched(format(
      'UPDATE mfi.audit_watch SET rows = %s, file = %s, changes = %s, counted_at = now(), trouble = NULL, waits_since '
      '= NULL WHERE relation = %L',
      @extschema@._mfi_count(work.relation), work.file, work.changes, work.relation));
  EXCEPTION WHEN OTHERS THEN
    failure := CASE WHEN SQLSTATE <> '55P03' THEN left(regexp_replace(SQLERRM, '[[:cntrl:]]+', ' ', 'g'), 300) END;
    RAISE LOG 'mfi: rows of % could not be counted: %', work.relation, SQLERRM;
    PERFORM @extschema@._mfi_watched(
      format('UPDATE mfi.audit_watch SET trouble = %L, tried_at = clock_timestamp(), waits_since = %s WHERE relation '
             '= %L', failure,
                                            CASE WHEN failure IS NULL THEN 'coalesce(waits_since, now())'
                                              ELSE 'NULL' END, work.relation));
  END;
  RETURN true;
END
$$;
