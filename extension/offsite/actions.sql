CREATE FUNCTION @extschema@.mfi_offsite_drill() RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_offsite_drill';
COMMENT ON FUNCTION @extschema@.mfi_offsite_drill() IS
  'Fetches the newest backup and the newest recovery store from the repository of mfi.offsite_repository, restores, '
  'recovers and compares them, waits, and returns ''ok''; an error when anything differs or it did not come to its '
  'end. '
  'Cancelling the call does not cancel the drill.';
REVOKE ALL ON FUNCTION @extschema@.mfi_offsite_drill() FROM PUBLIC;
