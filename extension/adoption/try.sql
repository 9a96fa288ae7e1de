-- What is tried: the tables, then the views over them. See trial.sql.

CREATE FUNCTION @extschema@._mfi_try_table(relation regclass) RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  trial text := @extschema@._mfi_trial_name(relation);
  is_audit boolean := (SELECT relname = ANY (@extschema@._mfi_audit_tables()) FROM pg_class WHERE oid = relation);
  part record;
  failed_detail text;
BEGIN
  EXECUTE format('CREATE TABLE %s (LIKE %s)', trial, relation);
  EXECUTE (SELECT coalesce('ALTER TABLE ' || trial || string_agg(
      format(' ALTER COLUMN %1$I TYPE %2$s USING %1$I::%2$s', r.column_name, format_type(r.wanted, -1)), ','), 'SELECT')
             FROM @extschema@._mfi_retyped() r WHERE r.relation = _mfi_try_table.relation);
  EXECUTE (SELECT format('ALTER TABLE %s OWNER TO %I', trial, pg_get_userbyid(relowner))
             FROM pg_class WHERE oid = relation);
  FOR part IN
    SELECT p.class, p.object, p.command, EXISTS (
             SELECT FROM pg_depend d JOIN @extschema@._mfi_retyped() r
                    ON d.refclassid = 'pg_class'::regclass AND d.refobjid = r.relation AND d.refobjsubid = r.attnum
              WHERE d.classid = p.class AND d.objid = p.object
                AND r.relation = _mfi_try_table.relation) AS reads_retyped
      FROM (SELECT 'pg_constraint'::regclass, k.oid,
                   format('ALTER TABLE %s ADD %s', trial, pg_get_constraintdef(k.oid))
              FROM pg_constraint k WHERE k.conrelid = relation AND k.contype IN ('c', 'x')
            UNION ALL
            SELECT 'pg_class'::regclass, i.indexrelid, pg_get_indexdef(i.indexrelid)
              FROM pg_index i WHERE i.indrelid = relation
               AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = relation)
            UNION ALL
            SELECT 'pg_statistic_ext'::regclass, s.oid,
                   replace(pg_get_statisticsobjdef(s.oid), format('%s.%I', s.stxnamespace::regnamespace, s.stxname),
                           format('mfi_trial_%s.%I', c.relnamespace, 'trial_' || s.oid))
              FROM pg_statistic_ext s JOIN pg_class c ON c.oid = s.stxrelid WHERE s.stxrelid = relation
           ) AS p (class, object, command)
     ORDER BY p.class, p.object
  LOOP
    BEGIN
      IF is_audit AND part.class <> 'pg_constraint'::regclass THEN
        PERFORM @extschema@._mfi_made_by(part.class, part.object, relation, part.command);
      END IF;
      IF part.reads_retyped THEN
        PERFORM @extschema@._mfi_as_owner(trial::regclass, @extschema@._mfi_in_trial(part.command, ARRAY[relation]));
      END IF;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS failed_detail = PG_EXCEPTION_DETAIL;
      RETURN NEXT @extschema@._mfi_trial_failure(part.class, part.object, SQLERRM, failed_detail);
    END;
  END LOOP;
  IF is_audit THEN
    BEGIN
      PERFORM h FROM @extschema@._mfi_hangers(relation) h;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS failed_detail = PG_EXCEPTION_DETAIL;
      RETURN NEXT @extschema@._mfi_trial_failure('pg_class'::regclass, relation, SQLERRM, failed_detail);
    END;
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_try_table(regclass) IS
  'Makes a table in the trial, with the types that adoption would give it, tries on it each check, index and '
  'statistics object that reads such a column, and returns a line for each that fails.';
REVOKE ALL ON FUNCTION @extschema@._mfi_try_table(regclass) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_try_view(view regclass, tables regclass[]) RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  relations regclass[] := tables || ARRAY(
    SELECT DISTINCT d.refobjid::regclass FROM pg_rewrite r
      JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        AND d.refclassid = 'pg_class'::regclass
      JOIN pg_class c ON c.oid = d.refobjid AND c.relkind IN ('v', 'm')
     WHERE r.ev_class = view AND (c.oid = view OR to_regclass(@extschema@._mfi_trial_name(c.oid)) IS NOT NULL));
  command text;
  failed_detail text;
BEGIN
  FOR command IN SELECT c FROM @extschema@._mfi_view_commands(view) c LOOP
    CONTINUE WHEN command ~ '^(REVOKE|SET LOCAL ROLE|COMMENT) |^SELECT [^ ]*\._mfi_refresh\(';
    EXECUTE @extschema@._mfi_in_trial(command, relations);
  END LOOP;
EXCEPTION WHEN OTHERS THEN
  -- A failure that names a relation of the trial is one of the trial: a function of whole rows, or a view below that
  -- failed, which is told already.
  IF SQLERRM !~ 'mfi_trial_' THEN
    GET STACKED DIAGNOSTICS failed_detail = PG_EXCEPTION_DETAIL;
    RETURN NEXT @extschema@._mfi_trial_failure('pg_rewrite'::regclass,
      (SELECT oid FROM pg_rewrite WHERE ev_class = view AND rulename = '_RETURN'), SQLERRM, failed_detail);
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_try_view(regclass, regclass[]) IS
  'Makes a view, with all that hangs on it, on the tables of the trial; returns a line when that fails.';
REVOKE ALL ON FUNCTION @extschema@._mfi_try_view(regclass, regclass[]) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_try_adoption() RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tables regclass[] := ARRAY(
    SELECT c.oid::regclass FROM unnest(@extschema@._mfi_tables()) AS name
      JOIN pg_class c ON c.oid = @extschema@._mfi_regclass(name) AND c.relkind = 'r');
  views regclass[] := ARRAY(SELECT v.view FROM @extschema@._mfi_views_over(tables) v ORDER BY v.depth, v.view::text);
  relation regclass;
  schema oid;
BEGIN
  FOR schema IN SELECT DISTINCT relnamespace FROM pg_class WHERE oid = ANY ((tables || views)::oid[]) LOOP
    EXECUTE format('CREATE SCHEMA mfi_trial_%s', schema);
    EXECUTE format('GRANT ALL ON SCHEMA mfi_trial_%s TO PUBLIC', schema);
  END LOOP;
  FOREACH relation IN ARRAY tables LOOP
    RETURN QUERY SELECT f FROM @extschema@._mfi_try_table(relation) f;
  END LOOP;
  FOREACH relation IN ARRAY views LOOP
    RETURN QUERY SELECT f FROM @extschema@._mfi_try_view(relation, tables) f;
  END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_try_adoption() IS
  'Tries, on empty tables, what the adoption would do to the existing ones and to the views over them, while the '
  'schema mfi_reference is there; returns a line for each thing that fails. The caller rolls it back.';
REVOKE ALL ON FUNCTION @extschema@._mfi_try_adoption() FROM PUBLIC;
