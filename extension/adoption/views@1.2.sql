CREATE OR REPLACE FUNCTION @extschema@._mfi_view_commands(view regclass) RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN o.command IS NOT NULL THEN replace(o.command, '{schema}', '@extschema@')
         ELSE @extschema@._mfi_made_by('pg_rewrite'::regclass, r.oid, view,
           format('CREATE %sVIEW %s%s AS %s%s', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED ' END, view,
                  ' WITH (' || array_to_string(c.reloptions, ', ') || ')', rtrim(pg_get_viewdef(c.oid), ';'),
                  CASE c.relkind WHEN 'm' THEN ' WITH NO DATA' END)) END
    FROM pg_class c JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN'
    LEFT JOIN @extschema@._mfi_views_1_0() o
      ON @extschema@.mfi_schema_version() IS NULL AND c.relkind = 'v'
     AND c.oid = @extschema@._mfi_regclass(substring(o.step FROM '^view (.*)$'))
   WHERE c.oid = view
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
  'are built, and a materialized view is filled, with the rights of its owner. While tables are adopted, the bank''s '
  'own three views are made as version 1.0 has them, whatever they were.';
