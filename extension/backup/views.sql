CREATE FUNCTION @extschema@._mfi_backups(
  OUT id text, OUT state text, OUT trigger text, OUT database text, OUT note text, OUT queued_at timestamptz,
  OUT started_at timestamptz, OUT finished_at timestamptz, OUT source_node text, OUT source_role text,
  OUT source_lag_bytes bigint, OUT snapshot_lsn text, OUT timeline integer, OUT size_bytes bigint, OUT path text,
  OUT verify_method text, OUT verify_result text, OUT verified_at timestamptz, OUT held boolean,
  OUT suspicious boolean, OUT system_identifier text, OUT is_foreign boolean, OUT error text,
  OUT extension_version text, OUT schema_version text, OUT proof_sandbox text)
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backups';
COMMENT ON FUNCTION @extschema@._mfi_backups() IS 'Behind the view mfi_backups.';
REVOKE ALL ON FUNCTION @extschema@._mfi_backups() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_backups() TO pg_monitor;

CREATE VIEW @extschema@.mfi_backups AS
  SELECT id, state, trigger, database, note, queued_at, started_at, finished_at, source_node, source_role,
         source_lag_bytes, snapshot_lsn::pg_lsn AS snapshot_lsn, timeline, size_bytes, path, verify_method,
         verify_result, verified_at, held, suspicious, system_identifier, error, extension_version, schema_version,
         is_foreign, proof_sandbox
    FROM @extschema@._mfi_backups();
COMMENT ON VIEW @extschema@.mfi_backups IS
  'Every backup run, good or bad, newest first, read from the backup directory. state: queued, dumping, publishing, '
  'verifying, succeeded, failed, cancelled, expired (deleted by retention) or missing (its set is gone); path: where '
  'the archive is; is_foreign: made by another cluster, never deleted; proof_sandbox: whole, or what the walls around '
  'its proof lacked on this kernel.';
GRANT SELECT ON @extschema@.mfi_backups TO pg_monitor;

CREATE FUNCTION @extschema@._mfi_backup_progress(
  OUT id text, OUT trigger text, OUT phase text, OUT started_at timestamptz, OUT bytes bigint, OUT percent bigint,
  OUT eta interval)
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_progress';
COMMENT ON FUNCTION @extschema@._mfi_backup_progress() IS 'Behind the view mfi_backup_progress.';
REVOKE ALL ON FUNCTION @extschema@._mfi_backup_progress() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_backup_progress() TO pg_monitor;

CREATE VIEW @extschema@.mfi_backup_progress AS
  SELECT p.*, (SELECT max(age(a.backend_xmin)) FROM pg_stat_activity a
                WHERE a.application_name = left('mfi backup ' || p.id, 63)
                  AND a.usesysid IN (SELECT oid FROM pg_roles WHERE rolsuper)) AS xmin_age
    FROM @extschema@._mfi_backup_progress() p;
COMMENT ON VIEW @extschema@.mfi_backup_progress IS
  'The backup that is running now, or no row. percent and eta are estimated by the last good backup; xmin_age: how '
  'many transactions ago the snapshot was taken that keeps VACUUM from cleaning.';
GRANT SELECT ON @extschema@.mfi_backup_progress TO pg_monitor;

CREATE FUNCTION @extschema@._mfi_backup_health(
  OUT verdict text, OUT reasons text[], OUT next_steps text[], OUT last_verified timestamptz, OUT next_run timestamptz)
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_health';
COMMENT ON FUNCTION @extschema@._mfi_backup_health() IS 'Behind the view mfi_backup_health.';
REVOKE ALL ON FUNCTION @extschema@._mfi_backup_health() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@._mfi_backup_health() TO pg_monitor;

CREATE VIEW @extschema@.mfi_backup_health AS SELECT * FROM @extschema@._mfi_backup_health();
COMMENT ON VIEW @extschema@.mfi_backup_health IS
  'One row: the verdict on backups, its reasons, what to do, when the newest verified backup finished and when the '
  'next one starts.';
GRANT SELECT ON @extschema@.mfi_backup_health TO pg_monitor;
