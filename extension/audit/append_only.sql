-- Append-only

CREATE FUNCTION @extschema@._mfi_refuse_change() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION '% on %.% is refused', TG_OP, quote_ident(TG_TABLE_SCHEMA), quote_ident(TG_TABLE_NAME)
    USING ERRCODE = 'object_not_in_prerequisite_state',
          DETAIL = 'Audit tables only grow.',
          HINT = 'Whole months that a verified backup contains go by SELECT * FROM mfi_audit_expire(keep_months => '
                 '24).';
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_refuse_change() IS
  'Trigger: refuses UPDATE, DELETE and TRUNCATE on audit tables and their partitions.';

CREATE FUNCTION @extschema@._mfi_audit_tables() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT ARRAY['user_auth_logs', 'admin_event_logs', 'user_activity_logs', 'mfi_user_activity_logs'] $$;
COMMENT ON FUNCTION @extschema@._mfi_audit_tables() IS 'Names of the audit tables.';
REVOKE ALL ON FUNCTION @extschema@._mfi_audit_tables() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_audit_tables() TO mfi_audit_owner;

CREATE FUNCTION @extschema@._mfi_append_only(relation text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s '
                'EXECUTE FUNCTION @extschema@._mfi_refuse_change()', relation)
$$;
COMMENT ON FUNCTION @extschema@._mfi_append_only(text) IS
  'Command that makes a relation append-only. Statement triggers are not inherited: each partition has its own.';
REVOKE ALL ON FUNCTION @extschema@._mfi_append_only(text) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_audit_relations() RETURNS TABLE (name text, parent regclass, relation regclass,
  month timestamptz, leaf boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
  -- Not by pg_partition_tree(), which waits for whoever holds a lock.
  WITH RECURSIVE part (name, parent, oid, level) AS (
    SELECT t.name, @extschema@._mfi_regclass(t.name)::oid, @extschema@._mfi_regclass(t.name)::oid, 0
      FROM unnest(@extschema@._mfi_audit_tables()) AS t (name) WHERE @extschema@._mfi_regclass(t.name) IS NOT NULL
    UNION ALL
    SELECT p.name, p.parent, i.inhrelid, p.level + 1 FROM part p JOIN pg_inherits i ON i.inhparent = p.oid)
  SELECT p.name, p.parent::regclass, c.oid::regclass,
         CASE WHEN p.level = 1 THEN to_timestamp(substring(c.relname FROM '_([1-9][0-9]{3}(?:0[1-9]|1[0-2]))$'),
                                                 'YYYYMM') END, c.relkind = 'r'
    FROM part p JOIN pg_class c ON c.oid = p.oid
$$;
COMMENT ON FUNCTION @extschema@._mfi_audit_relations() IS
  'The audit tables and their partitions, on all levels; month: that of a monthly partition, else NULL; leaf: whether '
  'rows are in it.';
REVOKE ALL ON FUNCTION @extschema@._mfi_audit_relations() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_audit_relations() TO mfi_audit_owner;
