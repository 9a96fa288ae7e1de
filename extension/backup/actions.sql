CREATE FUNCTION @extschema@.mfi_backup_now(wait boolean DEFAULT false, note text DEFAULT NULL) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_now';
COMMENT ON FUNCTION @extschema@.mfi_backup_now(boolean, text) IS
  'Queues a backup of mfi.database and returns its id; with wait it returns when the backup has succeeded and raises '
  'an error when it failed. Not undone by a rollback; cancelling the call does not cancel the backup. When five '
  'requests wait already, one more is refused.';
REVOKE ALL ON FUNCTION @extschema@.mfi_backup_now(boolean, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.mfi_backup_cancel(id text) RETURNS boolean
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_cancel';
COMMENT ON FUNCTION @extschema@.mfi_backup_cancel(text) IS
  'Cancels a queued or running backup. An error when there is no such backup or it is over.';
REVOKE ALL ON FUNCTION @extschema@.mfi_backup_cancel(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.mfi_backup_verify(id text) RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_verify';
COMMENT ON FUNCTION @extschema@.mfi_backup_verify(text) IS
  'Verifies a backup set again as mfi.backup_verify says (restore: in a scratch server, compared with the rows counted '
  'when it was made), waits, and returns ''ok'' or what differs.';
REVOKE ALL ON FUNCTION @extschema@.mfi_backup_verify(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.mfi_backup_hold(id text, reason text) RETURNS boolean
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_hold';
COMMENT ON FUNCTION @extschema@.mfi_backup_hold(text, text) IS
  'Keeps a backup set from being deleted by retention, until mfi_backup_release.';
REVOKE ALL ON FUNCTION @extschema@.mfi_backup_hold(text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.mfi_backup_release(id text) RETURNS boolean
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_release';
COMMENT ON FUNCTION @extschema@.mfi_backup_release(text) IS 'Ends what mfi_backup_hold began.';
REVOKE ALL ON FUNCTION @extschema@.mfi_backup_release(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.mfi_backup_adopt(id text) RETURNS boolean
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mfi_backup_adopt';
COMMENT ON FUNCTION @extschema@.mfi_backup_adopt(text) IS
  'Makes a foreign set (of another cluster, such as this one before it was created anew) one of this cluster''s own: '
  'from then on retention deletes it like the others.';
REVOKE ALL ON FUNCTION @extschema@.mfi_backup_adopt(text) FROM PUBLIC;
