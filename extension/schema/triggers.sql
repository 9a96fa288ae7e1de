-- Triggers

CREATE FUNCTION @extschema@._mfi_touch_updated_at() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  generated text[];
BEGIN
  -- Compared as stored: a user's column may have a type without an equality operator.
  IF NEW *= OLD THEN
    RETURN NEW;
  END IF;
  -- A BEFORE trigger sees the new row's generated columns as NULL: they are left out.
  SELECT array_agg(attname::text) INTO generated
    FROM pg_attribute
   WHERE attrelid = TG_RELID AND attgenerated <> '' AND NOT attisdropped;
  IF generated IS NOT NULL AND to_jsonb(NEW) - generated = to_jsonb(OLD) - generated THEN
    RETURN NEW;
  END IF;
  NEW.updated_at := now();
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_touch_updated_at() IS
  'Trigger: sets updated_at when an UPDATE really changes the row.';

CREATE FUNCTION @extschema@._mfi_guard_schema_version() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION '% on mfi.schema_version is refused', TG_OP
    USING ERRCODE = 'object_not_in_prerequisite_state',
          DETAIL = 'Its rows say which migrations this database already has.',
          HINT = 'Rows are added by SELECT mfi_migrate_schema().';
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_guard_schema_version() IS
  'Trigger: keeps the record of migrations as it is. Made last, it also marks a schema as complete.';

CREATE FUNCTION @extschema@._mfi_triggers() RETURNS TABLE (relation text, trigger_name text, command text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT '@extschema@.' || quote_ident(name), 'touch_updated_at',
         format('CREATE TRIGGER touch_updated_at BEFORE UPDATE ON @extschema@.%I '
                'FOR EACH ROW EXECUTE FUNCTION @extschema@._mfi_touch_updated_at()', name)
    FROM unnest(ARRAY['activity_type', 'mfi_country', 'mfi_type', 'platform_type', 'portals',
                      'portal_groups', 'portal_users', 'mfi_clients', 'mfi_groups', 'mfi_users',
                      'digital_platforms']) AS name
  UNION ALL
  SELECT 'mfi.schema_version', 'guard_schema_version',
         'CREATE TRIGGER guard_schema_version BEFORE UPDATE OR DELETE OR TRUNCATE '
         'ON mfi.schema_version EXECUTE FUNCTION @extschema@._mfi_guard_schema_version()'
$$;
COMMENT ON FUNCTION @extschema@._mfi_triggers() IS
  'Every trigger of the schema and the command that makes it; the marker of completeness is last.';
REVOKE ALL ON FUNCTION @extschema@._mfi_triggers() FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_missing_triggers() RETURNS TABLE (step text, command text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('trigger %s on %s', t.trigger_name, t.relation), t.command
    FROM @extschema@._mfi_triggers() WITH ORDINALITY AS t (relation, trigger_name, command, position)
   WHERE NOT EXISTS (SELECT FROM pg_trigger g
                      WHERE g.tgrelid = to_regclass(t.relation) AND g.tgname = t.trigger_name)
   ORDER BY t.position
$$;
COMMENT ON FUNCTION @extschema@._mfi_missing_triggers() IS
  'Steps that make the missing triggers: all in a new schema, and after DROP EXTENSION ... CASCADE.';
REVOKE ALL ON FUNCTION @extschema@._mfi_missing_triggers() FROM PUBLIC;
