CREATE FUNCTION @extschema@.mfi_backup_next_runs(
  n integer, schedule text DEFAULT NULL, timezone text DEFAULT NULL, after timestamptz DEFAULT NULL,
  OUT run_at timestamptz, OUT local_time text, OUT zone text, OUT slot text)
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_next_runs';
COMMENT ON FUNCTION @extschema@.mfi_backup_next_runs(integer, text, text, timestamptz) IS
  'The next n moments of the schedule in force, or of another cron text or time zone before it is set; local_time is '
  'the clock on the wall in that zone. A daily schedule runs once per local day: a time that the spring change skips '
  'runs right after it, one that the autumn change repeats runs the first time only.';
REVOKE ALL ON FUNCTION @extschema@.mfi_backup_next_runs(integer, text, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.mfi_backup_next_runs(integer, text, text, timestamptz) TO pg_monitor;

CREATE FUNCTION @extschema@.mfi_backup_retention_preview(OUT id text, OUT decision text, OUT reason text)
RETURNS SETOF record
LANGUAGE c VOLATILE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_retention_preview';
COMMENT ON FUNCTION @extschema@.mfi_backup_retention_preview() IS
  'What retention would do with each backup set now, those set aside after a failed verification included: keep or '
  'delete, and why.';
REVOKE ALL ON FUNCTION @extschema@.mfi_backup_retention_preview() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.mfi_backup_retention_preview() TO pg_monitor;
