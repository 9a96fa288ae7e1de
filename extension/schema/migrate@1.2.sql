CREATE OR REPLACE FUNCTION @extschema@.mfi_migrate_schema(dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  current_version text;
  kept text[];
  migration record;
  work record;
BEGIN
  IF dry_run IS NULL THEN
    RAISE EXCEPTION 'dry_run must be true or false, not NULL' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  -- One migration at a time, until the end of the transaction.
  PERFORM @extschema@._mfi_one_at_a_time(1, 'schema'::text);
  current_version := @extschema@._mfi_check_version();
  kept := ARRAY(SELECT m.classid || '/' || m.objid FROM @extschema@._mfi_members() m);

  FOR migration IN
    SELECT m.version, m.function::oid::regproc AS function FROM @extschema@._mfi_migrations() m
     WHERE current_version IS NULL
        OR string_to_array(m.version, '.')::int[] > string_to_array(current_version, '.')::int[]
  LOOP
    FOR work IN EXECUTE format('SELECT step, command FROM %s()', migration.function) LOOP
      IF NOT dry_run THEN
        EXECUTE work.command;
      END IF;
      RETURN NEXT migration.version || ': ' || work.step;
    END LOOP;
    IF NOT dry_run THEN
      PERFORM @extschema@._mfi_as_owner('mfi.schema_version'::regclass,
                                        format('INSERT INTO mfi.schema_version (version) VALUES (%L)',
                                               migration.version));
    END IF;
    -- The next one finds what this one made as the user's, also in a script that makes both.
    PERFORM @extschema@._mfi_release(kept);
    RETURN NEXT migration.version || ': recorded in mfi.schema_version';
  END LOOP;

  FOR work IN SELECT * FROM @extschema@._mfi_missing_triggers() LOOP
    IF NOT dry_run THEN
      EXECUTE work.command;
    END IF;
    RETURN NEXT work.step;
  END LOOP;
  PERFORM @extschema@._mfi_release(kept);
  FOR work IN SELECT g.step, g.command FROM @extschema@._mfi_missing_grants() g LOOP
    IF NOT dry_run THEN
      EXECUTE work.command;
    END IF;
    -- What a fresh schema needs goes without saying.
    IF current_version IS NOT NULL THEN
      RETURN NEXT work.step;
    END IF;
  END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION @extschema@._mfi_install_schema() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  setting text := lower(coalesce(nullif(current_setting('mfi.install_schema', true), ''), 'auto'));
  schema_version text := @extschema@.mfi_schema_version();
BEGIN
  IF setting NOT IN ('auto', 'on', 'off') THEN
    RAISE EXCEPTION 'invalid value for parameter "mfi.install_schema": "%"', setting
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Available values: auto, on, off.';
  ELSIF setting = 'on' OR setting = 'auto' AND current_setting('row_security') = 'on' THEN
    -- A schema that is newer than this script is for a later one to recognise.
    IF schema_version IS NULL OR schema_version NOT IN (SELECT version
      FROM pg_available_extension_versions WHERE name = 'mfi')
       OR schema_version IN (SELECT version FROM @extschema@._mfi_migrations()) THEN
      PERFORM @extschema@.mfi_migrate_schema();
    END IF;
  ELSIF setting = 'auto' THEN
    -- Every archive of pg_dump sets row_security = off before it creates extensions.
    RAISE WARNING 'the bank''s tables are left to the dump that is being restored (row_security is off)'
      USING HINT = 'If no dump is being restored, run SELECT mfi_migrate_schema(). '
                   'To create the tables whatever row_security is: SET mfi.install_schema = on.';
  END IF;
END
$$;
