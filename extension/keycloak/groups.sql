CREATE FUNCTION @extschema@._mfi_sync_groups(kind text, scope uuid, groups jsonb, options jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning
SET jit = off
SET work_mem = '64MB'
AS $$
DECLARE
  run uuid := gen_random_uuid();
  owner_column text := CASE kind WHEN 'portal' THEN 'portal_id' ELSE 'id_mfi' END;
  owners text := CASE kind WHEN 'portal' THEN 'portals' ELSE 'mfi_clients' END;
  errors jsonb;
  report jsonb;
  is_known boolean;
  is_dry boolean;
BEGIN
  options := @extschema@._mfi_sync_options(options);
  is_dry := options -> 'dry_run';
  IF jsonb_typeof(groups) IS DISTINCT FROM 'array' THEN
    RAISE EXCEPTION 'groups must be a JSON array, not %', coalesce(jsonb_typeof(groups), 'NULL')
      USING ERRCODE = 'invalid_parameter_value',
        HINT = 'It is what GET /admin/realms/{realm}/groups returns, with the children of every group.';
  END IF;
  PERFORM @extschema@._mfi_require_partitions();
  IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
    RAISE EXCEPTION 'groups cannot be synced at isolation level %', current_setting('transaction_isolation')
      USING ERRCODE = 'invalid_transaction_state',
            DETAIL = 'What another sync commits while this one waits for it would not be seen.',
            HINT = 'Call it again after SET default_transaction_isolation = ''read committed''.';
  END IF;
  -- One sync of a portal or MFI at a time, until the end of the transaction: a second one waits, then finds nothing to
  -- do.
  PERFORM @extschema@._mfi_one_at_a_time(3, kind || ' ' || scope);
  PERFORM @extschema@._mfi_check_written(CASE WHEN is_dry THEN '{}'::text[]
                                         ELSE ARRAY['@extschema@.' || kind || '_groups', 'mfi.sync_runs'] END,
    CASE kind WHEN 'portal' THEN ARRAY['portals', 'portal_groups', 'user_groups', 'portal_users']
      ELSE ARRAY['mfi_clients', 'mfi_groups', 'mfi_users'] END);
  EXECUTE format('SELECT EXISTS (SELECT FROM @extschema@.%I WHERE id = $1)', owners) INTO is_known USING scope;
  IF NOT is_known THEN
    RAISE EXCEPTION 'there is no row in % with the id %', owners, coalesce(scope::text, 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = format('SELECT id, name, realm_id FROM %s.', owners);
  END IF;

  errors := coalesce(@extschema@._mfi_sync_elements(groups), @extschema@._mfi_sync_snapshot());
  IF errors IS NULL THEN
    PERFORM @extschema@._mfi_sync_load(kind, scope, (options -> 'complete')::boolean);
    errors := @extschema@._mfi_sync_tree((options -> 'complete')::boolean);
  END IF;
  IF errors IS NULL AND options ->> 'root_group_path' IS NOT NULL THEN
    errors := @extschema@._mfi_sync_root(options ->> 'root_group_path');
  END IF;
  IF errors IS NULL THEN
    PERFORM @extschema@._mfi_sync_changes(scope, (options -> 'complete')::boolean);
    errors := @extschema@._mfi_sync_refusals(scope, options);
  END IF;
  IF errors IS NOT NULL AND NOT is_dry THEN
    PERFORM @extschema@._mfi_sync_refuse(errors);
  ELSIF errors IS NOT NULL THEN
    report := jsonb_build_object('outcome', 'refused', 'counts',
                                 jsonb_build_object('received', (SELECT count(*) FROM pg_temp._mfi_element)),
                                   'items', '[]'::jsonb,
                                 'replaced', '[]'::jsonb, 'affected_users', 0, 'warnings',
                                   '[]'::jsonb, 'errors', errors);
  ELSE
    report := @extschema@._mfi_sync_report(kind, owner_column, scope);
    IF NOT is_dry THEN
      PERFORM @extschema@._mfi_sync_write(kind, owner_column, scope);
    END IF;
  END IF;

  report := jsonb_build_object('run_id', CASE WHEN NOT is_dry
                               THEN run END, 'kind', kind, 'scope_id', scope, 'options', options) || report;
  IF NOT is_dry THEN
    INSERT INTO mfi.sync_runs (run_id, kind, scope_id, finished_at, outcome, report)
    VALUES (run, kind, scope, clock_timestamp(), report ->> 'outcome', report);
    DELETE FROM mfi.sync_runs r
     WHERE r.kind = _mfi_sync_groups.kind AND r.scope_id = scope AND r.outcome = 'noop'
       AND r.started_at < now() - interval '30 days';
  END IF;
  RETURN report;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_sync_groups(text, uuid, jsonb, jsonb) IS
  'Behind mfi_sync_portal_groups() and mfi_sync_mfi_groups(): kind is portal or mfi.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_groups(text, uuid, jsonb, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_groups(text, uuid, jsonb, jsonb) TO mfi_sync;

CREATE FUNCTION @extschema@._mfi_sync_portal_groups(portal uuid, groups jsonb, options jsonb) RETURNS jsonb
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$ SELECT @extschema@._mfi_sync_groups('portal'::text, portal, groups, options) $$;
COMMENT ON FUNCTION @extschema@._mfi_sync_portal_groups(uuid, jsonb, jsonb) IS
  'Behind mfi_sync_portal_groups(), which calls it as mfi_sync.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_portal_groups(uuid, jsonb, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_portal_groups(uuid, jsonb, jsonb) TO mfi_sync;

CREATE FUNCTION @extschema@.mfi_sync_portal_groups(portal uuid, groups jsonb, options jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_group_sync';
COMMENT ON FUNCTION @extschema@.mfi_sync_portal_groups(uuid, jsonb, jsonb) IS
  'Makes portal_groups of one portal what a snapshot of Keycloak''s groups says, and returns a report, which is also '
  'kept in mfi.sync_runs. groups: an array of GroupRepresentation, flat, nested or both. options: complete (true: what '
  'is missing gets deleted_at), dry_run, max_delete_ratio (0.5), max_delete_count, allow_empty, restore (true), '
  'root_group_path. Groups are known by Keycloak''s id alone. An error names the place in the input, and nothing is '
  'written.';
REVOKE ALL ON FUNCTION @extschema@.mfi_sync_portal_groups(uuid, jsonb, jsonb) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_sync_mfi_groups(mfi uuid, groups jsonb, options jsonb) RETURNS jsonb
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$ SELECT @extschema@._mfi_sync_groups('mfi'::text, mfi, groups, options) $$;
COMMENT ON FUNCTION @extschema@._mfi_sync_mfi_groups(uuid, jsonb, jsonb) IS
  'Behind mfi_sync_mfi_groups(), which calls it as mfi_sync.';
REVOKE ALL ON FUNCTION @extschema@._mfi_sync_mfi_groups(uuid, jsonb, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_sync_mfi_groups(uuid, jsonb, jsonb) TO mfi_sync;

CREATE FUNCTION @extschema@.mfi_sync_mfi_groups(mfi uuid, groups jsonb, options jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_group_sync';
COMMENT ON FUNCTION @extschema@.mfi_sync_mfi_groups(uuid, jsonb, jsonb) IS
  'Makes mfi_groups of one MFI (mfi_clients.id) what a snapshot of Keycloak''s groups says; as '
  'mfi_sync_portal_groups().';
REVOKE ALL ON FUNCTION @extschema@.mfi_sync_mfi_groups(uuid, jsonb, jsonb) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION @extschema@._mfi_lock(regclass, boolean) TO mfi_sync;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_one_at_a_time(integer, text) TO mfi_sync;
GRANT EXECUTE ON FUNCTION @extschema@.mfi_schema_version() TO mfi_sync;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_schema_ready() TO mfi_sync;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_tables() TO mfi_sync;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_regclass(text) TO mfi_sync;
