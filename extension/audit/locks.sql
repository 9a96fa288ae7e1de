CREATE FUNCTION @extschema@._mfi_holders(relations oid[], modes text[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH holder AS (
    SELECT DISTINCT l.pid, coalesce(format('process %s of %I', l.pid, a.usename),
                                    format('prepared transaction %L', x.gid), format('process %s', l.pid)) AS name
      FROM pg_locks l
      JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
      LEFT JOIN pg_stat_activity a ON a.pid = l.pid
      LEFT JOIN pg_prepared_xacts x ON l.pid IS NULL AND l.virtualtransaction = '-1/' || x.transaction
     WHERE l.locktype = 'relation' AND l.granted AND l.relation = ANY (relations) AND l.mode = ANY (modes)
       AND l.pid IS DISTINCT FROM pg_backend_pid() AND coalesce(a.backend_type, '') <> 'mfi maintainer')
  SELECT string_agg(h.name, ', ' ORDER BY h.pid) FILTER (WHERE h.nth <= 3)
         || CASE WHEN count(*) > 3 THEN format(' and %s more', count(*) - 3) ELSE '' END
    FROM (SELECT holder.*, row_number() OVER (ORDER BY holder.pid) AS nth FROM holder) AS h
$$;
COMMENT ON FUNCTION @extschema@._mfi_holders(oid[], text[]) IS
  'Who holds locks of these modes on these relations; NULL when nobody does.';
REVOKE ALL ON FUNCTION @extschema@._mfi_holders(oid[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_holders(oid[], text[]) TO mfi_audit_owner;

CREATE FUNCTION @extschema@._mfi_lock_holders(name text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  -- To attach a partition locks the default partition for itself alone, so that a reader is in its way, too.
  SELECT @extschema@._mfi_holders(
    ARRAY(SELECT r.relation::oid FROM @extschema@._mfi_audit_relations() r WHERE r.name = _mfi_lock_holders.name),
    ARRAY['AccessShareLock', 'RowShareLock', 'RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock',
          'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'])
$$;
COMMENT ON FUNCTION @extschema@._mfi_lock_holders(text) IS
  'Who holds locks on an audit table or its partitions; NULL when nobody does.';
REVOKE ALL ON FUNCTION @extschema@._mfi_lock_holders(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_lock_holders(text) TO mfi_audit_owner;

CREATE FUNCTION @extschema@._mfi_who_locks() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT string_agg(format('%s is locked by %s', c.oid::regclass, h.holders), '; ' ORDER BY c.oid::regclass::text)
    FROM pg_class c
   CROSS JOIN LATERAL (SELECT @extschema@._mfi_holders(ARRAY[c.oid], ARRAY[
                         'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'])) AS h (holders)
   WHERE c.relnamespace IN ('mfi'::regnamespace, 'pg_catalog'::regnamespace) AND c.relkind = 'r'
     AND c.oid IN (SELECT l.relation FROM pg_locks l WHERE l.granted) AND h.holders IS NOT NULL
$$;
COMMENT ON FUNCTION @extschema@._mfi_who_locks() IS
  'Which tables that the maintainer needs beside the audit tables are locked, by whom: for the verdict, when it has '
  'waited for a lock in vain.';
REVOKE ALL ON FUNCTION @extschema@._mfi_who_locks() FROM PUBLIC;
