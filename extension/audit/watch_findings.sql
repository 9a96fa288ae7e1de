CREATE FUNCTION @extschema@._mfi_watch_findings() RETURNS SETOF text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  guard oid := to_regprocedure('@extschema@._mfi_refuse_change()');
BEGIN
  RETURN QUERY
  SELECT ARRAY['warning', 'audit-unprotected',
               format('rows of %s can be changed and deleted: its trigger append_only is %s', r.relation,
           CASE WHEN g.oid IS NULL THEN 'missing'
                WHEN g.tgfoid <> guard OR g.tgtype <> 58 OR g.tgqual IS NOT NULL THEN 'not the one that mfi makes'
                WHEN g.tgenabled = 'D' THEN 'disabled' ELSE 'for replicas alone' END),
           CASE WHEN g.oid IS NULL THEN 'SELECT mfi_migrate_schema().'
                WHEN g.tgfoid <> guard OR g.tgtype <> 58 OR g.tgqual IS NOT NULL
                  THEN format('DROP TRIGGER append_only ON %s, then mfi_migrate_schema().', r.relation)
                ELSE format('ALTER TABLE %s ENABLE TRIGGER append_only. Find out who did it: the owner of the table '
                            'can.', r.relation) END]
    FROM @extschema@._mfi_audit_relations() r
    LEFT JOIN pg_trigger g ON g.tgrelid = r.relation AND g.tgname = 'append_only'
   WHERE g.oid IS NULL OR g.tgenabled NOT IN ('O', 'A') OR g.tgfoid <> guard OR g.tgtype <> 58 OR g.tgqual IS NOT NULL
   ORDER BY r.relation::text COLLATE "C";

  RETURN QUERY
  SELECT ARRAY['warning', 'audit-foreign-trigger',
               format('%s of %s acts on what is written there, and is not one of mfi', h.hanger, h.relation),
           'It can change or swallow audit rows. Drop it if it is not meant to be there.']
    FROM (SELECT r.relation, format('trigger %I', g.tgname)
            FROM @extschema@._mfi_audit_relations() r JOIN pg_trigger g ON g.tgrelid = r.relation
           WHERE NOT g.tgisinternal AND g.tgname <> 'append_only' AND g.tgenabled <> 'D'
             AND NOT EXISTS (SELECT
                             FROM pg_trigger u JOIN @extschema@._mfi_audit_relations() a ON a.relation = u.tgrelid
                               WHERE u.oid = g.tgparentid)
          UNION ALL
          SELECT r.relation, format('rule %I', w.rulename)
            FROM @extschema@._mfi_audit_relations() r JOIN pg_rewrite w ON w.ev_class = r.relation
           WHERE w.ev_enabled <> 'D') AS h (relation, hanger)
   ORDER BY h.relation::text COLLATE "C", h.hanger COLLATE "C";

  RETURN QUERY
  SELECT ARRAY['warning', 'audit-owner-changed',
               format('%s belongs to %I, not to %I as %s', r.relation, pg_get_userbyid(c.relowner), o.owner, o.why),
                 o.step]
    FROM @extschema@._mfi_audit_relations() r
    JOIN pg_class c ON c.oid = r.relation
    JOIN pg_class p ON p.oid = r.parent
    LEFT JOIN mfi.audit_watch w ON w.relation = r.name
   CROSS JOIN LATERAL (
     SELECT w.owner, 'before', format(
       'ALTER TABLE %s OWNER TO %I, or, if it is meant: UPDATE mfi.audit_watch SET owner = %L WHERE relation = %L.',
                                      r.relation, w.owner, pg_get_userbyid(c.relowner), r.name)
      WHERE r.relation = r.parent AND w.owner IS NOT NULL
     UNION ALL
     SELECT pg_get_userbyid(p.relowner), format('%s does', r.parent),
       format('ALTER TABLE %s OWNER TO %I.', r.relation, pg_get_userbyid(p.relowner))
      WHERE r.relation <> r.parent) AS o (owner, why, step)
   WHERE o.owner <> pg_get_userbyid(c.relowner)
   ORDER BY r.relation::text COLLATE "C";

  RETURN QUERY
  SELECT ARRAY['warning', 'audit-rows-missing',
           CASE WHEN r.relation IS NULL AND w.expected IS NULL
             THEN format('%s is gone; it had %s when they were last counted', w.relation, w.rows || ' rows')
                WHEN r.relation IS NULL THEN format('%s is gone; backup %s has it with %s', w.relation,
                                                    w.backup, w.expected || ' rows')
                ELSE format('%s has %s of the %s rows that backup %s has', w.relation, w.rows,
                            w.expected, w.backup) END,
           format('Restore them from that backup, and find out who deleted them. If it is right so: DELETE FROM '
                  'mfi.audit_watch WHERE relation = %L.', w.relation)]
    FROM mfi.audit_watch w
    LEFT JOIN @extschema@._mfi_audit_relations() r ON r.relation::text = w.relation
   WHERE w.expired_at IS NULL AND (r.relation IS NULL AND (w.expected IS NOT NULL OR w.rows > 0) OR w.rows < w.expected)
   ORDER BY w.relation COLLATE "C";

  RETURN QUERY
  SELECT ARRAY['warning', f.code, f.sentence, f.step]
    FROM (SELECT r.relation, 'audit-row-security',
          format('row-level security of %s hides rows, from the worker that counts them, too', r.relation),
                 format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY. Find out who did it: '
                        'the owner of the table can.', r.relation)
            FROM @extschema@._mfi_audit_relations() r JOIN pg_class c ON c.oid = r.relation
           WHERE c.relrowsecurity OR c.relforcerowsecurity
          UNION ALL
          SELECT r.relation, 'audit-attached',
            format('%s is a partition of %s, whose triggers and constraints act on it', r.relation,
                   i.inhparent::regclass),
                 format('ALTER TABLE %s DETACH PARTITION %s.', i.inhparent::regclass, r.relation)
            FROM @extschema@._mfi_audit_relations() r JOIN pg_inherits i ON i.inhrelid = r.relation
           WHERE r.relation = r.parent
          UNION ALL
          SELECT r.relation, 'audit-referenced',
            format('%s refers to %s, so months cannot be arranged nor expire',
                   pg_describe_object('pg_constraint'::regclass, k.oid, 0), r.relation),
                 format('ALTER TABLE %s DROP CONSTRAINT %I.', k.conrelid::regclass, k.conname)
            FROM @extschema@._mfi_audit_relations() r
              JOIN pg_constraint k ON k.confrelid = r.relation AND k.contype = 'f'
           WHERE NOT EXISTS (SELECT FROM pg_constraint u WHERE u.oid = k.conparentid)
          UNION ALL
          SELECT to_regclass(w.relation), 'audit-work-failed',
            format('the worker could not do its work on %s: %s', w.relation,
                   CASE WHEN w.waits_since < now() - interval '1 day'
                     THEN format('it has been locked by others each time since %s', date_trunc('second', w.waits_since))
                        WHEN w.begun_at > w.ended_at OR w.ended_at IS NULL AND w.begun_at IS NOT NULL
                          THEN format('what was begun at %s has not ended', date_trunc('second', w.begun_at))
                        ELSE w.trouble END),
                 'What hinders it is a lock (pg_locks names the session), or what the owner of the table, or somebody '
                 'the owner let in, has put on it: checks, indexes, triggers. Take it away; the worker tries again '
                 'within the hour.'
            FROM mfi.audit_watch w
           WHERE w.expired_at IS NULL AND (w.relation = ANY (@extschema@._mfi_audit_tables())
                                           OR to_regclass(w.relation) IS NOT NULL)
             AND (w.trouble IS NOT NULL OR w.waits_since < now() - interval '1 day'
                  OR w.begun_at < now() - interval '3 minutes' AND (w.ended_at IS NULL OR w.ended_at < w.begun_at))
         ) AS f (relation, code, sentence, step)
   ORDER BY f.code, f.relation::text COLLATE "C", f.sentence COLLATE "C";
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_watch_findings() IS
  'What is to be said of audit tables that are not as mfi left them: triggers that do not protect them, triggers and '
  'rules of others, other owners, fewer rows than a proven backup had, row-level security, foreign keys of others, a '
  'table above, work that failed or waits. Not noticed: rows that are changed, or replaced by as many.';
REVOKE ALL ON FUNCTION @extschema@._mfi_watch_findings() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_watch_findings() TO mfi_audit_owner;
