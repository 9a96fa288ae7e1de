-- Adoption of a database that already has the tables
--
-- What they should be is not written down a second time: the steps of version 1.0 make the tables in a schema of their
-- own, the catalog tells what differs, and that schema goes away again before anything is touched.

CREATE FUNCTION @extschema@._mfi_refuse_existing() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  relations text;
  schemas text;
BEGIN
  SELECT string_agg(@extschema@._mfi_regclass(name)::text, ', ' ORDER BY name) INTO relations
    FROM unnest(@extschema@._mfi_views()) AS name
   WHERE @extschema@._mfi_regclass(name) IS NOT NULL
     AND NOT EXISTS (SELECT FROM unnest(@extschema@._mfi_tables()) AS t WHERE @extschema@._mfi_regclass(t) IS NOT NULL);
  IF relations IS NOT NULL THEN
    RAISE EXCEPTION 'cannot create the bank''s schema: these relations already exist in schema @extschema@: %',
      relations
      USING ERRCODE = 'duplicate_table',
            DETAIL = 'Nothing was changed.',
            HINT = 'Drop or rename them, or put the bank''s tables elsewhere: CREATE EXTENSION mfi CASCADE SCHEMA .... '
                   'If a dump is being restored, let it finish.';
  END IF;
  SELECT string_agg(quote_ident(nspname), ', ' ORDER BY nspname) INTO schemas
    FROM pg_namespace WHERE nspname IN ('mfi', 'mfi_audit', 'mfi_reference');
  IF schemas IS NOT NULL THEN
    RAISE EXCEPTION 'cannot create the bank''s schema: schema already exists: %', schemas
      USING ERRCODE = 'duplicate_schema',
            DETAIL = 'The extension makes the schemas mfi and mfi_audit for itself. Nothing was changed.',
            HINT = 'Rename the existing one: ALTER SCHEMA ... RENAME TO .... '
                   'If a dump is being restored, let it finish.';
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_refuse_existing() IS
  'Fails, naming them, when objects that cannot be adopted are in the place of what the migration makes.';
REVOKE ALL ON FUNCTION @extschema@._mfi_refuse_existing() FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_views() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT ARRAY['v_active_portals', 'v_mfi_platforms_summary', 'v_user_group_assignments'] $$;
COMMENT ON FUNCTION @extschema@._mfi_views() IS 'Names of the bank''s views.';
REVOKE ALL ON FUNCTION @extschema@._mfi_views() FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_make_reference() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  work record;
BEGIN
  CREATE SCHEMA mfi_reference;
  FOR work IN SELECT s.command FROM @extschema@._mfi_steps_1_0('mfi_reference'::text) s
               WHERE s.step !~ '^schema |^table mfi[.]' LOOP
    EXECUTE work.command;
  END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_make_reference() IS
  'Makes tables, views and seeds of version 1.0 in the schema mfi_reference.';
REVOKE ALL ON FUNCTION @extschema@._mfi_make_reference() FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_adopted_columns()
RETURNS TABLE (name text, relation regclass, column_name name, found pg_attribute,
               wanted pg_attribute, found_default text,
               wanted_default text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT t.name, c.oid::regclass, r.attname, f, r, pg_get_expr(fd.adbin, fd.adrelid), pg_get_expr(rd.adbin, rd.adrelid)
    FROM unnest(@extschema@._mfi_tables()) WITH ORDINALITY AS t (name, position)
    JOIN pg_class c ON c.oid = @extschema@._mfi_regclass(t.name)
    JOIN pg_attribute r ON r.attrelid = to_regclass('mfi_reference.' || quote_ident(t.name)) AND r.attnum > 0
    LEFT JOIN pg_attribute f ON f.attrelid = c.oid AND f.attname = r.attname AND NOT f.attisdropped
    LEFT JOIN pg_attrdef fd ON fd.adrelid = f.attrelid AND fd.adnum = f.attnum
    LEFT JOIN pg_attrdef rd ON rd.adrelid = r.attrelid AND rd.adnum = r.attnum
   ORDER BY t.position, r.attnum
$$;
COMMENT ON FUNCTION @extschema@._mfi_adopted_columns() IS
  'Each column of version 1.0 with the existing one of its name, while the schema mfi_reference is there.';
REVOKE ALL ON FUNCTION @extschema@._mfi_adopted_columns() FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_adopted_constraints()
RETURNS TABLE (relation regclass, contype "char", wanted_name name, definition text, found_name name)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT c.oid::regclass, r.contype, r.conname, d.definition, f.conname
    FROM unnest(@extschema@._mfi_tables()) WITH ORDINALITY AS t (name, position)
    JOIN pg_class c ON c.oid = @extschema@._mfi_regclass(t.name)
    JOIN pg_constraint r ON r.conrelid = to_regclass('mfi_reference.' || quote_ident(t.name)) AND r.contype <> 'n'
   CROSS JOIN LATERAL (SELECT replace(pg_get_constraintdef(r.oid), 'mfi_reference.', '@extschema@.')) AS d (definition)
    LEFT JOIN LATERAL (SELECT k.conname FROM pg_constraint k
                        WHERE k.conrelid = c.oid AND k.contype = r.contype
                          AND pg_get_constraintdef(k.oid) = d.definition
                        ORDER BY k.conname <> r.conname, k.conname LIMIT 1) AS f ON true
   ORDER BY t.position, r.contype, r.conname
$$;
COMMENT ON FUNCTION @extschema@._mfi_adopted_constraints() IS
  'Each constraint of version 1.0 with the existing one that says the same, while the schema mfi_reference is there.';
REVOKE ALL ON FUNCTION @extschema@._mfi_adopted_constraints() FROM PUBLIC;
