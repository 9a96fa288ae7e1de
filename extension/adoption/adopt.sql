CREATE FUNCTION @extschema@._mfi_index_columns(index regclass) RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT array_agg(pg_get_indexdef(index, n, true) ORDER BY n) FROM pg_index, generate_series(1, indnkeyatts) AS n
   WHERE indexrelid = index
$$;
COMMENT ON FUNCTION @extschema@._mfi_index_columns(regclass) IS 'Key columns of an index, in order.';
REVOKE ALL ON FUNCTION @extschema@._mfi_index_columns(regclass) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_reference_countries() RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT jsonb_agg(to_jsonb(c) ORDER BY c.id) FROM mfi_reference.mfi_country c);
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_reference_countries() IS
  'The seed rows of mfi_country, while the schema mfi_reference is there.';
REVOKE ALL ON FUNCTION @extschema@._mfi_reference_countries() FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_add_check(relation regclass, name name, definition text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM @extschema@._mfi_as_owner(relation,
                                    format('ALTER TABLE %s ADD CONSTRAINT %I %s', relation, name, definition));
EXCEPTION WHEN check_violation THEN
  EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID', relation, name, definition);
  RAISE WARNING 'constraint % of table % is not valid: existing rows violate %', name, relation, definition;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_add_check(regclass, name, text) IS
  'Adds a check; as NOT VALID, with a warning, when existing rows violate it.';
REVOKE ALL ON FUNCTION @extschema@._mfi_add_check(regclass, name, text) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_adoption(OUT commands text[], OUT said text[])
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  differences text;
BEGIN
  BEGIN
    PERFORM @extschema@._mfi_make_reference();
    SELECT string_agg(d, E'\n' ORDER BY d COLLATE "C") INTO differences FROM @extschema@._mfi_differences() AS d;
    IF differences IS NULL THEN
      SELECT array_agg(CASE WHEN owner_of IS NULL THEN command
                            ELSE format('SELECT @extschema@._mfi_as_owner(%L::regclass, %L::text)',
                                        owner_of, command) END),
             array_agg(command) FILTER (WHERE command ~ '^(ALTER TABLE|CREATE INDEX) ')
        INTO commands, said FROM @extschema@._mfi_adoption_commands();
    END IF;
    RAISE SQLSTATE 'MFI00';
  EXCEPTION WHEN SQLSTATE 'MFI00' THEN NULL;  -- the reference is gone; what it told stays
  END;
  IF differences IS NOT NULL THEN
    RAISE EXCEPTION 'cannot adopt the tables in schema @extschema@: they are not what version 1.0 makes'
      USING ERRCODE = 'invalid_schema_definition', DETAIL = differences || E'\nNothing was changed.',
            HINT = 'Change what is named, or move the tables away (ALTER TABLE ... SET SCHEMA ...), or put the '
                   'bank''s tables '
                   'elsewhere: CREATE EXTENSION mfi CASCADE SCHEMA .... If a dump is being restored, let it finish.';
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_adoption() IS
  'Commands that make the existing tables those of version 1.0, and what is said of them; fails, naming each '
  'difference, when they cannot be adopted.';
REVOKE ALL ON FUNCTION @extschema@._mfi_adoption() FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_adopt(commands text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tables regclass[] := ARRAY(SELECT @extschema@._mfi_regclass(name) FROM unnest(@extschema@._mfi_tables()) AS name);
  views text[];
BEGIN
  PERFORM @extschema@._mfi_refuse_old_snapshot();
  PERFORM @extschema@._mfi_lock(t, true) FROM unnest(tables) AS t;
  -- What was found before the locks has to be there still, under the same names.
  IF tables <> ARRAY(SELECT @extschema@._mfi_regclass(name) FROM unnest(@extschema@._mfi_tables()) AS name)
     OR ARRAY(SELECT c FROM unnest(commands) AS c ORDER BY c) <> ARRAY(SELECT c
       FROM @extschema@._mfi_adoption() a, unnest(a.commands) AS c ORDER BY c) THEN
    RAISE EXCEPTION 'the tables in schema @extschema@ were changed while locks on them were waited for'
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Nothing was changed.', HINT = 'Call it again.';
  END IF;
  views := @extschema@._mfi_set_views_aside(tables);
  PERFORM @extschema@._mfi_execute(commands);
  PERFORM @extschema@._mfi_execute(views);
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_adopt(text[]) IS
  'Takes the views over the existing tables aside, executes the commands, and puts the views back.';
REVOKE ALL ON FUNCTION @extschema@._mfi_adopt(text[]) FROM PUBLIC;
