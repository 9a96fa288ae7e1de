CREATE FUNCTION @extschema@.mfi_recovery_base_now("full" boolean DEFAULT false) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_recovery_base_now';
COMMENT ON FUNCTION @extschema@.mfi_recovery_base_now(boolean) IS
  'Makes a base of this node for recovery, full or incremental, waits, and returns its id; an incremental one is a '
  'full one where there is nothing to build on, which its remark says. An error when it failed. Cancelling the '
  'call does '
  'not cancel the base. On a standby, too.';
REVOKE ALL ON FUNCTION @extschema@.mfi_recovery_base_now(boolean) FROM PUBLIC;

CREATE FUNCTION @extschema@.mfi_recovery_drill() RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_recovery_drill';
COMMENT ON FUNCTION @extschema@.mfi_recovery_drill() IS
  'Recovers from this node''s store into a private server, compares it with the contents of mfi.database, waits, and '
  'returns ''ok''; an error when it differs or did not come to its end. Cancelling the call does not cancel the drill. '
  'On a standby, too, whose replay is paused for a moment.';
REVOKE ALL ON FUNCTION @extschema@.mfi_recovery_drill() FROM PUBLIC;
