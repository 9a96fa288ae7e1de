CREATE FUNCTION @extschema@._mfi_views_over(relations regclass[]) RETURNS TABLE (view regclass, depth integer)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE over (oid, depth) AS (
    SELECT unnest(relations)::oid, 0
    UNION
    SELECT r.ev_class, o.depth + 1
      FROM over o
      JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = o.oid
        AND d.classid = 'pg_rewrite'::regclass
      JOIN pg_rewrite r ON r.oid = d.objid AND r.rulename = '_RETURN' AND r.ev_class <> o.oid)
  SELECT oid::regclass, max(over.depth) FROM over WHERE over.depth > 0 GROUP BY oid
$$;
COMMENT ON FUNCTION @extschema@._mfi_views_over(regclass[]) IS
  'Views that read these relations, also through other views; in the order of depth they can be made.';
REVOKE ALL ON FUNCTION @extschema@._mfi_views_over(regclass[]) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_view_commands(view regclass) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT @extschema@._mfi_made_by('pg_rewrite'::regclass, r.oid, view,
           format('CREATE %sVIEW %s%s AS %s%s', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED ' END, view,
                  ' WITH (' || array_to_string(c.reloptions, ', ') || ')', rtrim(pg_get_viewdef(c.oid), ';'),
                  CASE c.relkind WHEN 'm' THEN ' WITH NO DATA' END))
    FROM pg_class c JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN' WHERE c.oid = view
  UNION ALL
  SELECT g FROM @extschema@._mfi_grants(view) g
  UNION ALL
  SELECT @extschema@._mfi_made_by('pg_attrdef'::regclass, pg_attrdef.oid, view,
           format('ALTER VIEW %s ALTER COLUMN %I SET DEFAULT %s', view, attname, pg_get_expr(adbin, adrelid)))
    FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum WHERE adrelid = view
  UNION ALL
  SELECT @extschema@._mfi_made_by('pg_class'::regclass, indexrelid, view, pg_get_indexdef(indexrelid))
    FROM pg_index WHERE indrelid = view
  UNION ALL
  SELECT h FROM @extschema@._mfi_hangers(view) h
  UNION ALL
  SELECT c FROM @extschema@._mfi_comments(view) c
  UNION ALL
  SELECT format('SELECT @extschema@._mfi_refresh(%L::regclass)', view) FROM pg_class
    WHERE oid = view AND relkind = 'm' AND relispopulated
$$;
COMMENT ON FUNCTION @extschema@._mfi_view_commands(regclass) IS
  'Commands that make this view anew, with all that hangs on it. Its owner has it before anything is computed: indexes '
  'are built, and a materialized view is filled, with the rights of its owner.';
REVOKE ALL ON FUNCTION @extschema@._mfi_view_commands(regclass) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_refresh(view regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format('REFRESH MATERIALIZED VIEW %s', view);
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'materialized view % has no rows: its owner cannot fill it: %', view, SQLERRM
    USING HINT = format('Mend that, then REFRESH MATERIALIZED VIEW %s.', view);
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_refresh(regclass) IS
  'Fills a materialized view with the rights of its owner (the server sees to that); a warning when these do not '
  'suffice.';
REVOKE ALL ON FUNCTION @extschema@._mfi_refresh(regclass) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_set_views_aside(relations regclass[]) RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  commands text[];
  each_view record;
  views oid[];
  locked oid[] := '{}';
BEGIN
  -- From here on nobody changes what is read in the next statement, which sees what was there when the locks were had.
  LOOP
    views := ARRAY(SELECT v.view::oid FROM @extschema@._mfi_views_over(relations) v);
    EXIT WHEN views <@ locked;
    PERFORM @extschema@._mfi_refuse_old_snapshot();
    PERFORM @extschema@._mfi_lock(v::regclass, true) FROM unnest(views) AS v WHERE v <> ALL (locked);
    locked := locked || views;
  END LOOP;
  SELECT array_agg(c.command ORDER BY v.depth, v.view::text, c.position) INTO commands
    FROM @extschema@._mfi_views_over(relations) v
   CROSS JOIN LATERAL @extschema@._mfi_view_commands(v.view) WITH ORDINALITY AS c (command, position);
  FOR each_view IN
    SELECT v.view, c.relkind FROM @extschema@._mfi_views_over(relations) v JOIN pg_class c ON c.oid = v.view
     ORDER BY v.depth DESC
  LOOP
    EXECUTE format('DROP %s %s', CASE each_view.relkind WHEN 'm' THEN 'MATERIALIZED VIEW'
                   ELSE 'VIEW' END, each_view.view);
  END LOOP;
  RETURN coalesce(commands, '{}');
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_set_views_aside(regclass[]) IS
  'Drops the views over these relations and returns the commands that make them anew.';
REVOKE ALL ON FUNCTION @extschema@._mfi_set_views_aside(regclass[]) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_execute(commands text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
  command text;
BEGIN
  FOREACH command IN ARRAY commands LOOP
    EXECUTE command;
  END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_execute(text[]) IS
  'Executes commands one after the other, in the time zone in which a timestamp becomes a timestamptz without a '
  'rewrite.';
REVOKE ALL ON FUNCTION @extschema@._mfi_execute(text[]) FROM PUBLIC;
