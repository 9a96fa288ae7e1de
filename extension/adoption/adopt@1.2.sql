CREATE FUNCTION @extschema@._mfi_adoption_obstacles() RETURNS TABLE (obstacle text)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT o.line FROM (
  SELECT d FROM @extschema@._mfi_differences() AS d
  UNION SELECT k FROM @extschema@._mfi_foreign_keys_in_the_way() AS k
  UNION SELECT d FROM @extschema@._mfi_dependents_in_the_way() AS d
  UNION SELECT n FROM @extschema@._mfi_names_in_the_way() AS n
  UNION SELECT t FROM @extschema@._mfi_try_adoption() AS t
  UNION SELECT format('%I: %s', name, o)
    FROM unnest(@extschema@._mfi_audit_tables()) AS name, @extschema@._mfi_audit_obstacles(name) AS o
   WHERE o NOT LIKE '% is not a plain table'  -- a difference already
  UNION SELECT format('%I: %s', name, c)
    FROM unnest(@extschema@._mfi_tables()) AS name, @extschema@._mfi_columns_in_the_way(name) AS c
  ) AS o (line) ORDER BY o.line COLLATE "C"
$$;
COMMENT ON FUNCTION @extschema@._mfi_adoption_obstacles() IS
  'A line for each thing that keeps the existing tables from being adopted and brought to version 1.1, while the '
  'schema mfi_reference is there. The caller rolls back what was tried.';
REVOKE ALL ON FUNCTION @extschema@._mfi_adoption_obstacles() FROM PUBLIC;

CREATE OR REPLACE FUNCTION @extschema@._mfi_adoption(OUT commands text[], OUT said text[])
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  obstacles text[];
BEGIN
  BEGIN
    PERFORM @extschema@._mfi_make_reference();
    obstacles := ARRAY(SELECT o.obstacle FROM @extschema@._mfi_adoption_obstacles() AS o);
    IF obstacles = '{}' THEN
      SELECT array_agg(CASE WHEN owner_of IS NULL THEN command
                            ELSE format('SELECT @extschema@._mfi_as_owner(%L::regclass, %L::text)',
                                        owner_of, command) END),
             array_agg(command) FILTER (WHERE command ~ '^(ALTER TABLE|CREATE INDEX) ')
        INTO commands, said FROM @extschema@._mfi_adoption_commands();
    END IF;
    RAISE SQLSTATE 'MFI00';
  EXCEPTION WHEN SQLSTATE 'MFI00' THEN NULL;  -- what was made is gone; what it told stays
  END;
  IF obstacles <> '{}' THEN
    RAISE EXCEPTION 'the tables in schema @extschema@ cannot be adopted as they are'
      USING ERRCODE = 'invalid_schema_definition',
            DETAIL = array_to_string(obstacles[1:60], E'\n')
                     || CASE WHEN cardinality(obstacles) > 60
                          THEN format(E'\nand %s more', cardinality(obstacles) - 60) ELSE '' END
                     || E'\nNothing was changed.',
            HINT = 'Change what is named (what compares a column that becomes text needs a cast, as in '
                   'l.iam_user_id = u.id_iam::text), or move the tables away (ALTER TABLE ... SET SCHEMA ...), or '
                   'put the bank''s tables elsewhere: CREATE EXTENSION mfi CASCADE SCHEMA .... If a dump is being '
                   'restored, let it finish.';
  END IF;
END
$$;

CREATE FUNCTION @extschema@._mfi_digest(commands text[]) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT md5(string_agg(c, E'\n' ORDER BY c COLLATE "C")) FROM unnest(commands) AS c $$;
COMMENT ON FUNCTION @extschema@._mfi_digest(text[]) IS
  'A short name for a list of commands, so that a statement which means them does not repeat them in each error.';
REVOKE ALL ON FUNCTION @extschema@._mfi_digest(text[]) FROM PUBLIC;

DROP FUNCTION @extschema@._mfi_adopt(text[]);
CREATE FUNCTION @extschema@._mfi_adopt_tables(digest text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
  tables regclass[] := ARRAY(SELECT @extschema@._mfi_regclass(name) FROM unnest(@extschema@._mfi_tables()) AS name);
  commands text[];
  command text;
  failed_hint text;
BEGIN
  PERFORM @extschema@._mfi_refuse_old_snapshot();
  PERFORM @extschema@._mfi_lock(t, true) FROM unnest(tables) AS t;
  -- What was found before the locks has to be there still, under the same names.
  IF tables = ARRAY(SELECT @extschema@._mfi_regclass(name) FROM unnest(@extschema@._mfi_tables()) AS name) THEN
    commands := (SELECT a.commands FROM @extschema@._mfi_adoption() a);
  END IF;
  IF @extschema@._mfi_digest(commands) IS DISTINCT FROM digest THEN
    RAISE EXCEPTION 'the tables in schema @extschema@ were changed while locks on them were waited for'
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Nothing was changed.', HINT = 'Call it again.';
  END IF;
  commands := commands || @extschema@._mfi_set_views_aside(tables);
  BEGIN
    -- In the time zone in which a timestamp becomes a timestamptz without a rewrite.
    FOREACH command IN ARRAY commands LOOP
      EXECUTE command;
    END LOOP;
  EXCEPTION WHEN OTHERS THEN
    -- Told again, without all the statements that it was raised in.
    GET STACKED DIAGNOSTICS failed_hint = PG_EXCEPTION_HINT;
    RAISE EXCEPTION '%', SQLERRM
      USING ERRCODE = SQLSTATE, HINT = failed_hint,
            DETAIL = format('The command was: %s%s', left(command, 300), E'\nNothing was changed.');
  END;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_adopt_tables(text) IS
  'Takes the views over the existing tables aside, executes the commands of _mfi_adoption(), which must still be those '
  'of this digest, and puts the views back. What fails is told in short words.';
REVOKE ALL ON FUNCTION @extschema@._mfi_adopt_tables(text) FROM PUBLIC;
