CREATE FUNCTION @extschema@._mfi_give_to_owner(parent regclass, relation text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  owner name := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = parent);
BEGIN
  EXECUTE format('ALTER TABLE %s OWNER TO %I', relation, owner);
  IF NOT has_schema_privilege(owner, 'mfi_audit', 'USAGE') THEN
    PERFORM @extschema@._mfi_execute_unrecorded(format('GRANT USAGE ON SCHEMA mfi_audit TO %I', owner));
  END IF;
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_give_to_owner(regclass, text) IS
  'Gives a table in mfi_audit the owner of an audit table, who can reach it there: what its rows meet runs with that '
  'owner''s rights.';
REVOKE ALL ON FUNCTION @extschema@._mfi_give_to_owner(regclass, text) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_add_partition(relation text, month timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
  parent regclass := @extschema@._mfi_regclass(relation);
  name text := @extschema@._mfi_partition_name(relation, month);
  outside regclass := to_regclass(@extschema@._mfi_partition_name(relation, NULL::timestamptz));
  columns text;
BEGIN
  IF to_regclass(name) IS NOT NULL THEN
    RAISE EXCEPTION '% exists but is not a partition of %', name, parent
      USING ERRCODE = 'duplicate_table',
            HINT = format('Rename it, or put it back: ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L).',
                          parent, name, month, @extschema@._mfi_month(month, 1));
  END IF;
  -- A table that is attached locks the parent less than one made as a partition.
  EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED '
                 'INCLUDING STORAGE INCLUDING COMPRESSION)%s', name, parent, @extschema@._mfi_tablespace(parent));
  PERFORM @extschema@._mfi_give_to_owner(parent, name);
  IF month IS NULL THEN
    EXECUTE format('COMMENT ON TABLE %s IS %L', name, format('Rows of %s whose month has no partition.', parent));
    -- Rows without a time may be many; the health check asks for the others every few seconds.
    EXECUTE format('CREATE INDEX ON %s (event_time)', name);
    PERFORM @extschema@._mfi_as_owner(parent, format('ALTER TABLE %s ATTACH PARTITION %s DEFAULT', parent, name));
    EXECUTE format('GRANT SELECT (event_time) ON %s TO mfi_audit_owner', name);
  ELSE
    IF outside IS NOT NULL AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = outside) THEN
      SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
        FROM pg_attribute WHERE attrelid = outside AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
      PERFORM @extschema@._mfi_as_owner(parent, format(
        'WITH moved AS (DELETE FROM %s WHERE event_time >= %L AND event_time < %L RETURNING %s) '
        'INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT * FROM moved',
        outside, month, @extschema@._mfi_month(month, 1), columns, name, columns));
    END IF;
    EXECUTE format('COMMENT ON TABLE %s IS %L', name,
                   format('Rows of %s of %s (UTC).', parent, to_char(month, 'YYYY-MM')));
    PERFORM @extschema@._mfi_as_owner(parent,
                                      format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)',
                                             parent, name, month,
                                                     @extschema@._mfi_month(month, 1)));
  END IF;
  EXECUTE @extschema@._mfi_append_only(name);
  -- What was seen of a month of this name that expired is not laid to this one.
  PERFORM @extschema@._mfi_watched(
    format('DELETE FROM mfi.audit_watch WHERE relation = %L AND expired_at IS NOT NULL', name));
END
$$;
COMMENT ON FUNCTION @extschema@._mfi_add_partition(text, timestamptz) IS
  'Makes and attaches the partition of an audit table for a month, or its default partition when the month is NULL. '
  'While the default partition is detached, the month''s rows move out of it.';
REVOKE ALL ON FUNCTION @extschema@._mfi_add_partition(text, timestamptz) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_count(relation regclass) RETURNS bigint
LANGUAGE c STABLE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_count';
COMMENT ON FUNCTION @extschema@._mfi_count(regclass) IS
  'Rows of a table. A scan counts them, no query, so nothing that the table''s owner has put on it runs, and no index '
  'is believed. The caller needs SELECT on the table.';
REVOKE ALL ON FUNCTION @extschema@._mfi_count(regclass) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_months(relation regclass, column_name name, before timestamptz) RETURNS timestamptz[]
LANGUAGE c STABLE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_months';
COMMENT ON FUNCTION @extschema@._mfi_months(regclass, name, timestamptz) IS
  'Months (their first moments, UTC), from 2000 to that time, of which the column has times; in order. Read by a scan, '
  'as _mfi_count() does. A time outside of that is a mistake of the sender.';
REVOKE ALL ON FUNCTION @extschema@._mfi_months(regclass, name, timestamptz) FROM PUBLIC;

CREATE FUNCTION @extschema@._mfi_referrer(relation regclass) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT min(pg_describe_object('pg_constraint'::regclass, k.oid, 0)) FROM pg_constraint k
   WHERE k.contype = 'f' AND k.confrelid IN (SELECT relation UNION SELECT t.relid FROM pg_partition_tree(relation) t)
$$;
COMMENT ON FUNCTION @extschema@._mfi_referrer(regclass) IS
  'A foreign key onto a table or one of its partitions; NULL when there is none. To detach a partition the server '
  'reads the table that refers, with the rights of whoever detaches: so what its owner has put on that table would '
  'run.';
REVOKE ALL ON FUNCTION @extschema@._mfi_referrer(regclass) FROM PUBLIC;
