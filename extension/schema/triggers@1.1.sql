CREATE OR REPLACE FUNCTION @extschema@._mfi_triggers() RETURNS TABLE (relation text, trigger_name text, command text)
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
  SELECT '@extschema@.' || quote_ident(name), 'append_only',
         @extschema@._mfi_append_only('@extschema@.' || quote_ident(name))
    FROM unnest(@extschema@._mfi_audit_tables()) AS name
  UNION ALL
  SELECT r.relation::text, 'append_only', @extschema@._mfi_append_only(r.relation::text)
    FROM @extschema@._mfi_audit_relations() r WHERE r.relation <> r.parent
  UNION ALL
  SELECT 'mfi.schema_version', 'guard_schema_version',
         'CREATE TRIGGER guard_schema_version BEFORE UPDATE OR DELETE OR TRUNCATE '
         'ON mfi.schema_version EXECUTE FUNCTION @extschema@._mfi_guard_schema_version()'
$$;
