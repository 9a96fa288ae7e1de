CREATE OR REPLACE FUNCTION @extschema@._mfi_schema_findings() RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '300ms'
AS $$
DECLARE
  schema_version int[];
  newest_version int[];
BEGIN
  schema_version := string_to_array(@extschema@.mfi_schema_version(), '.')::int[];
  newest_version := string_to_array(@extschema@._mfi_newest_migration(), '.')::int[];
  IF NOT @extschema@._mfi_schema_ready() THEN
    RETURN ARRAY['warning', 'schema-missing', 'the tables of mfi are not complete in this database',
                 'When a restore is running, wait for its end; else SELECT mfi_migrate_schema().'];
  ELSIF schema_version < newest_version THEN
    RETURN ARRAY['warning', 'schema-behind', 'the tables of mfi are of an older version than the extension',
                 'SELECT mfi_migrate_schema().'];
  ELSIF schema_version > newest_version THEN
    RETURN ARRAY['warning', 'schema-ahead', 'the tables of mfi are of a newer version than the extension',
                 'ALTER EXTENSION mfi UPDATE.'];
  END IF;
  RETURN @extschema@._mfi_audit_findings();
EXCEPTION WHEN lock_not_available THEN
  RETURN ARRAY['unknown', 'cannot-know',
               'the tables of mfi could not be looked at, as others lock them'
                 || coalesce(': ' || @extschema@._mfi_locked_by(), ''),
               'The verdict does not wait for a lock: ask again when that transaction has ended, or end it.'];
END
$$;

CREATE FUNCTION @extschema@._mfi_locked_by() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT string_agg(format('%s by process %s%s', k.relations, k.pid,
                           coalesce(format(', whose transaction began %s ago',
                                           date_trunc('second', clock_timestamp() - a.xact_start)), '')), '; '
                                           ORDER BY k.pid)
    FROM (SELECT l.pid, string_agg(format('%I.%I', n.nspname, c.relname), ', ' ORDER BY c.relname COLLATE "C")
            FROM pg_locks l
            JOIN pg_class c ON c.oid = l.relation
            JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE l.locktype = 'relation' AND l.granted AND l.mode = 'AccessExclusiveLock'
             AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
             AND l.pid <> pg_backend_pid()
             AND (n.nspname = 'mfi' OR n.nspname = '@extschema@' AND c.relname = ANY (@extschema@._mfi_tables()))
           GROUP BY l.pid) AS k (pid, relations)
    LEFT JOIN pg_stat_activity a ON a.pid = k.pid
$$;
COMMENT ON FUNCTION @extschema@._mfi_locked_by() IS
  'Who keeps tables of mfi from being read, and which; NULL when nobody does.';
REVOKE ALL ON FUNCTION @extschema@._mfi_locked_by() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_locked_by() TO pg_monitor;

GRANT EXECUTE ON FUNCTION @extschema@._mfi_migrations() TO pg_monitor;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_newest_migration() TO pg_monitor;

COMMENT ON FUNCTION @extschema@.mfi_health(text) IS
  'One row: the verdict on this node (ok, warning, unknown, critical), its reasons and what to do. scope: node, '
  'replication, backup, recovery, or all.';
