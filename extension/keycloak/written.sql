-- What is written with the rights of mfi_sync
--
-- What a table's owner has put on it runs when it is read or written. So syncs and imports run as mfi_sync, a role that
-- owns nothing, in a security-restricted operation, which leaves nothing in the caller's session and nothing for the
-- end of its transaction. A trigger runs with the rights of whoever writes. Whoever was given TRIGGER on one of these
-- tables, which GRANT ALL includes, would get at the others by it, so only what belongs to the table's owner or a
-- superuser is called.

CREATE FUNCTION @extschema@._mfi_foreign_triggers(relations text[])
RETURNS TABLE (fault text, detail text, hint text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH written AS MATERIALIZED (
    SELECT c.oid, c.relowner FROM pg_class c WHERE c.oid IN (SELECT to_regclass(n) FROM unnest(relations) AS n)
    UNION SELECT i.inhrelid, c.relowner FROM pg_class c JOIN pg_inherits i ON i.inhparent = c.oid
      WHERE c.oid IN (SELECT to_regclass(n) FROM unnest(relations) AS n))
  SELECT format('the trigger %I of table %s calls %s of role %I', g.tgname, g.tgrelid::regclass,
                pg_describe_object(d.refclassid, d.refobjid, 0), f.rolname),
         'It would run with the rights of mfi_sync, which reads and writes other tables, too.',
         format('Drop the trigger; or, if you trust what it calls, give that to the table''s owner: ALTER ... OWNER '
                'TO %I.', pg_get_userbyid(w.relowner))
    FROM written w
    JOIN pg_trigger g ON g.tgrelid = w.oid
    JOIN pg_depend d ON d.classid = 'pg_trigger'::regclass AND d.objid = g.oid
    LEFT JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid
    LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
    LEFT JOIN pg_type y ON d.refclassid = 'pg_type'::regclass AND y.oid = d.refobjid
    JOIN pg_roles f ON f.oid = coalesce(p.proowner, o.oprowner, y.typowner)
   WHERE NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') AND NOT f.rolsuper AND f.oid <> w.relowner
  UNION ALL
  SELECT format('the trigger %I of table %s is INITIALLY DEFERRED', g.tgname, g.tgrelid::regclass),
         'It would run at the end of the transaction, with the rights of whoever called.',
           'Make it INITIALLY IMMEDIATE, or drop it.'
    FROM written w JOIN pg_trigger g ON g.tgrelid = w.oid
   WHERE NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') AND g.tginitdeferred
  UNION ALL
  SELECT format('the foreign key %I of table %s is INITIALLY DEFERRED', k.conname, k.conrelid::regclass),
         'It would be looked at when the call is over.',
           format('ALTER TABLE %s ALTER CONSTRAINT %I DEFERRABLE INITIALLY IMMEDIATE.', k.conrelid::regclass, k.conname)
    FROM written w JOIN pg_constraint k ON k.conrelid = w.oid
   WHERE k.contype = 'f' AND k.condeferred
   ORDER BY 1
$$;
COMMENT ON FUNCTION @extschema@._mfi_foreign_triggers(text[]) IS
  'Triggers on these tables, and on their partitions, that call what belongs neither to the table''s owner nor to a '
  'superuser; and what waits there for the end of the caller''s transaction.';
REVOKE ALL ON FUNCTION @extschema@._mfi_foreign_triggers(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_foreign_triggers(text[]) TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_refuse_leavings() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  leavings text := (SELECT string_agg(l, ', ') FROM @extschema@._mfi_role_leavings('mfi_sync'::name) AS l);
BEGIN
  IF leavings IS NOT NULL THEN
    RAISE EXCEPTION 'nothing was written: role mfi_sync would be left as %', leavings
      USING ERRCODE = 'object_not_in_prerequisite_state',
        DETAIL = 'Whoever owns a table that is read or written here could act as mfi_sync by that, from now on.',
            HINT = 'If it was there before: drop it, ALTER ROLE mfi_sync RESET ALL. Else find out what the owners of '
                   'these tables have put on them.';
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_refuse_leavings() IS
  'Fails when mfi_sync owns something or has settings: what a group sync or an import ran has made it.';
REVOKE ALL ON FUNCTION @extschema@._mfi_refuse_leavings() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_refuse_leavings() TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_check_written(written text[], used text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wrong record;
  hidden text;
BEGIN
  IF written <> '{}' THEN
    -- From now on nobody makes a trigger on them until the end of the transaction.
    PERFORM @extschema@._mfi_lock(l.relation, false)
       FROM (SELECT to_regclass(n) FROM unnest(written) AS n
             UNION SELECT i.inhrelid::regclass
               FROM unnest(written) AS n JOIN pg_inherits i ON i.inhparent = to_regclass(n)) AS l (relation);
  END IF;
  SELECT * INTO wrong FROM @extschema@._mfi_foreign_triggers(written) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'nothing was written: %', wrong.fault USING ERRCODE = 'object_not_in_prerequisite_state',
      DETAIL = wrong.detail, HINT = wrong.hint;
  END IF;
  SELECT string_agg(c.oid::regclass::text, ', ') INTO hidden
    FROM unnest(used) AS name JOIN pg_class c ON c.oid = @extschema@._mfi_regclass(name)
   WHERE c.relrowsecurity
     AND NOT EXISTS (SELECT FROM pg_policy p JOIN pg_roles r ON r.oid = ANY (p.polroles)
                     WHERE p.polrelid = c.oid AND r.rolname = 'mfi_sync');
  IF hidden IS NOT NULL THEN
    RAISE EXCEPTION 'row-level security would hide rows from mfi: %', hidden
      USING ERRCODE = 'object_not_in_prerequisite_state',
        DETAIL = 'Group syncs and imports run as mfi_sync, which no policy of these tables names. Nothing was written.',
            HINT = 'For each of them: CREATE POLICY mfi_sync ON ... TO mfi_sync USING (true).';
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_check_written(text[], text[]) IS
  'Fails when writing to these relations would call what others than their owners or superusers have made, or later '
  'than the call, or when policies hide rows of the used tables from mfi_sync. It locks the relations, so that this '
  'stays true.';
REVOKE ALL ON FUNCTION @extschema@._mfi_check_written(text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_check_written(text[], text[]) TO mfi_sync;
