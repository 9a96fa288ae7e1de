CREATE OR REPLACE FUNCTION @extschema@._mfi_migration_1_0() RETURNS TABLE (step text, command text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  adoption record;
BEGIN
  PERFORM @extschema@._mfi_refuse_existing();
  IF NOT EXISTS (SELECT FROM unnest(@extschema@._mfi_tables()) AS name
                 WHERE @extschema@._mfi_regclass(name) IS NOT NULL) THEN
    RETURN QUERY SELECT s.step, s.command FROM @extschema@._mfi_steps_1_0('@extschema@'::text) s;
    RETURN;
  END IF;
  adoption := @extschema@._mfi_adoption();
  RETURN QUERY SELECT s.step, s.command FROM @extschema@._mfi_steps_1_0('@extschema@'::text) s
    WHERE s.step ~ '^schema |^table mfi[.]';
  RETURN QUERY VALUES
    (format('existing tables (%s): adopted, and locked until the end of the transaction',
            (SELECT pg_size_pretty(sum(pg_total_relation_size(@extschema@._mfi_regclass(name))))
             FROM unnest(@extschema@._mfi_tables()) AS name)),
     format('SELECT @extschema@._mfi_adopt_tables(%L::text)', @extschema@._mfi_digest(adoption.commands)));
  -- What the line above does, in so many words.
  RETURN QUERY SELECT c, 'SELECT' FROM unnest(adoption.said) AS c;
  RETURN QUERY SELECT s.step, replace(s.command, 'CREATE VIEW', 'CREATE OR REPLACE VIEW')
    FROM @extschema@._mfi_steps_1_0('@extschema@'::text) s
                WHERE s.step LIKE 'view %';
END
$$;
